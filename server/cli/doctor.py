"""`unmask doctor`: what holds the processes that read hostile pages and files, tried out on this machine."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING

import click

from server.settings import Settings

if TYPE_CHECKING:
    from server.sandbox.protections import Findings


@click.command()
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
def doctor(as_json: bool) -> None:
    """Try out what holds the processes that read hostile pages and files.

    \b
    unmask doctor

    Exit status: 0 everything holds, 1 something is missing.
    """
    from server.sandbox.protections import try_out

    found = try_out()
    if as_json:
        told = {each.name: each.broken or "held" for each in found.protections}
        click.echo(json.dumps({"protections": told, "refused": found.refused}))
    else:
        for each in found.protections:
            click.echo(f"{each.name:<12}{'MISSING' if each.broken else 'held':<9}{each.keeps}")
            if each.broken:
                click.echo(f"{'':<21}a child {each.broken}; this needs {each.needs}")
        for layer, why in found.refused.items():
            click.echo(f"Not granted here: {layer} ({why}). What it holds, another layer may hold as well.")
        if found.missing:
            click.echo(_advice(Settings.from_env()))
    sys.exit(1 if found.missing else 0)


def insist(settings: Settings) -> None:
    """Before a service starts: refuse, or warn, where something is missing."""
    from server.sandbox.protections import try_out

    found = try_out()
    if found.missing and settings.sandbox_required:
        raise click.ClickException(f"{_sentence(found)} {_advice(settings)}")
    if found.missing:
        click.echo(f"Warning: {_sentence(found)} `unmask doctor` says more.", err=True)


def _sentence(found: Findings) -> str:
    return "Fetching is not fully held here. " + " ".join(f"{each.sentence}." for each in found.missing)


def _advice(settings: Settings) -> str:
    if settings.sandbox_required:
        return "Unmask will not start like this; UNMASK_SANDBOX=best lets it, at your risk."
    return "Unmask starts all the same, with a warning; UNMASK_SANDBOX=require has it refuse."
