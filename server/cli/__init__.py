"""`unmask`: one file a verb, imported only when it is called, so that `unmask --help` and completion stay quick."""

from __future__ import annotations

import importlib
import os
from typing import Any

import click

VERBS = {
    "serve": "Start everything on this machine: web, worker, database.",
    "web": "Start the web process alone.",
    "worker": "Start a worker process alone.",
    "check": "Check files, folders or addresses, here and now.",
    "lookup": "Ask what is known of an address or a hash.",
    "user": "Add, list and change the people who may sign in.",
    "token": "Create, list and revoke API tokens.",
    "db": "Bring the database up to date, or copy it.",
    "models": "List the detectors and what they need.",
    "prepare": "Cut the faces of labelled pictures and clips, for training and evaluation.",
    "train": "Train a detector from a folder of faces.",
    "evaluate": "Measure the detectors on labelled media.",
    "calibrate": "Fit scales, weights and thresholds on labelled media.",
    "proxy": "Fetch for workers on a network without a way out.",
    "doctor": "Try out what holds the processes that read hostile files.",
    "completion": "Print the shell completion script.",
}


class _Verbs(click.Group):
    def list_commands(self, context: click.Context) -> list[str]:
        return list(VERBS)

    def get_command(self, context: click.Context, name: str) -> click.Command | None:
        if name not in VERBS:
            return None
        command: click.Command = getattr(importlib.import_module(f"server.cli.{name}"), name)
        return command

    def format_commands(self, context: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(list(VERBS.items()))


class _Unmask(_Verbs):
    def invoke(self, context: click.Context) -> Any:
        """Errors that have a sentence for people are shown as that sentence, not as a traceback."""
        from models.errors import ModelsError
        from server.errors import UnmaskError
        from server.settings import BadSetting

        os.umask(0o077)  # what is written holds other people's media and secrets
        try:
            return super().invoke(context)
        except UnmaskError as error:
            raise click.ClickException(f"{error.message} [{error.code}]") from error
        except ModelsError as error:
            raise click.ClickException(f"{error} [{error.code}]") from error
        except BadSetting as error:
            raise click.UsageError(str(error)) from error
        except OSError as error:  # a folder that cannot be written, a full disk
            if error.strerror is None or isinstance(error, BrokenPipeError):
                raise
            named = f"{os.fsdecode(error.filename)}: " if isinstance(error.filename, str | bytes) else ""
            raise click.ClickException(f"{named}{error.strerror}.") from error


@click.group(cls=_Unmask, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="unmask")
def main() -> None:
    """Unmask checks images and videos for manipulation.

    \b
    unmask serve                         start it; open the address it prints
    unmask check clip.mp4 pictures/      check local files, no server needed
    unmask lookup https://example.org/a  what is known of an address
    unmask token create                  a token for programs

    Every setting is an UNMASK_* environment variable; the README lists them.
    """
