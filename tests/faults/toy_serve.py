"""`unmask serve` with small stand-ins for the web application and for the run of a check; all between them is real.

python -m tests.faults.toy_serve serve|web|worker [the supervisor's options]
"""

from __future__ import annotations

import os
import random
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any

import click

from server.cli import serve as serving
from server.lineage import end_with_parent
from server.logs import configure
from server.settings import Settings
from server.store.db import Database
from server.store.tables import Check
from server.worker.lease import Lease
from server.worker.tools import Tools

FETCHER = "300.77"  # seconds that a stand-in for the fetching child sleeps; looks like nothing else


def run(check: Check, lease: Lease, tools: Tools) -> None:
    from tests.server.worker.toys import finish

    # As the fetching child: a session of its own, tied to the life of the worker's.
    child = subprocess.Popen(
        [shutil.which("setpriv") or "setpriv", "--pdeathsig", "KILL", "sleep", FETCHER], start_new_session=True
    )
    try:
        lease.on_lost(child.kill)
        slow = (check.url or "").endswith("/slow")
        seconds = 60.0 if slow else random.uniform(0.1, 0.6)
        for stage in ("fetching", "decoding", "analyzing"):
            lease.stage(stage, 0.5)
            if stage != "fetching" and lease.lost.wait(seconds / 2):
                break
        lease.ensure()
        if (check.url or "").endswith("/poison"):
            os.kill(os.getpid(), signal.SIGKILL)
        finish(check, lease, tools)
    finally:
        child.kill()
        child.wait()


def application(environ: dict[str, Any], start_response: Callable[..., object]) -> Iterable[bytes]:
    start_response("200 OK", [("Content-Type", "text/plain"), ("Content-Length", "2")])
    return [b"ok"]


@click.group()
def main() -> None: ...


@main.command()
def serve() -> None:
    real = serving.children

    def children(settings: Settings, database: Database, listener: int) -> list[Any]:
        return [_toy(child) for child in real(settings, database, listener)]

    serving.children = children
    callback = serving.serve.callback
    assert callback is not None
    callback()


def _toy(child: Any) -> Any:
    """The same options, another program."""
    at = child.command.index(child.name)
    return replace(child, command=[sys.executable, "-m", "tests.faults.toy_serve", *child.command[at:]])


@main.command()
@click.option("--fd", type=int)
@click.option("--parent", type=int)
def web(fd: int, parent: int) -> None:
    from server.web.gunicorn import WebServer

    settings = Settings.from_env()
    configure(settings, "web")
    end_with_parent(parent, signal.SIGKILL)
    WebServer(settings, lambda: application, bind=f"fd://{fd}").run()


@main.command()
@click.option("--parent", type=int)
@click.option("--mark")
def worker(parent: int, mark: str) -> None:
    from server.worker.owner import owner_name
    from server.worker.service import WorkerService
    from tests.server.worker.toys import tools

    settings = Settings.from_env()
    configure(settings, "worker")
    service = WorkerService(run, tools(settings, Database(settings.database)), owner_name(mark))
    end_with_parent(parent)
    service.run()


if __name__ == "__main__":
    main()
