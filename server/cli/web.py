"""`unmask web`: the web process alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from server.settings import Settings

if TYPE_CHECKING:
    from flask import Flask


@click.command()
@click.option("--fd", type=int, hidden=True, help="A listening socket that the supervisor holds.")
@click.option("--parent", type=int, hidden=True, help="End when this process does.")
def web(fd: int | None, parent: int | None) -> None:
    """Start the web process alone. It needs a worker beside it (`unmask worker`), on this or another machine.

    \b
    UNMASK_DATABASE_URL=postgresql+psycopg://unmask@db/unmask unmask web
    """
    import signal

    from server.cli.listen import listen
    from server.lineage import end_with_parent
    from server.logs import configure
    from server.web.gunicorn import WebServer

    settings = Settings.from_env()
    configure(settings, "web")
    if parent is not None:
        # Nothing durable lives here, and the next server wants the port: end at once.
        end_with_parent(parent, signal.SIGKILL)
    socket = listen(settings) if fd is None else None
    number = fd if socket is None else socket.detach()
    WebServer(settings, lambda: make_app(settings), bind=f"fd://{number}").run()


def make_app(settings: Settings) -> Flask:
    """Called in gunicorn's worker process, after the fork."""
    from models.calibrate import load
    from models.catalogue import catalogue, unimported
    from models.rates import measured
    from server.cli.installed import pipeline
    from server.store.db import Database
    from server.web.app import create_app

    made_by = pipeline(settings)
    return create_app(
        settings,
        Database(settings.database),
        catalogue=catalogue,
        unimported=unimported,
        measured=measured(load(settings.calibration)),
        pipeline=lambda: made_by,
    )
