"""`unmask serve`: everything on this machine."""

from __future__ import annotations

from contextlib import nullcontext
from typing import TYPE_CHECKING

import click

from server.settings import Settings

if TYPE_CHECKING:
    from server.store.db import Database
    from server.supervise import Child


@click.command()
def serve() -> None:
    """Start everything on this machine: web, worker, database. Ctrl-C ends it.

    \b
    unmask serve
    UNMASK_PORT=8080 UNMASK_DATA_DIR=/var/lib/unmask unmask serve
    """
    from server.cli import embedded
    from server.cli.announce import Announcement
    from server.cli.doctor import insist
    from server.cli.installed import pipeline
    from server.cli.listen import listen
    from server.logs import configure
    from server.store.db import Database
    from server.store.migrate import upgrade
    from server.supervise import Supervisor
    from server.welcome import first_start

    settings = Settings.from_env()
    configure(settings, "supervisor")
    insist(settings)
    pipeline(settings)  # weights or a calibration that cannot be read are said now, not by every child in turn
    alone = settings.database.startswith("sqlite")
    with embedded.only_one(settings) if alone else nullcontext(), listen(settings) as listener:
        upgrade(settings.database)
        database = Database(settings.database)
        if alone:
            embedded.recover(settings, database)
        announcement = Announcement(settings, first_start(database, settings))
        try:
            announcement.start()
            Supervisor(children(settings, database, listener.fileno())).run()
        finally:
            announcement.say()  # the first start's password must not be lost to a quick Ctrl-C


def children(settings: Settings, database: Database, listener: int) -> list[Child]:
    import os
    import sys
    from uuid import uuid4

    from server.cli.embedded import take_back
    from server.supervise import Child
    from server.worker.owner import owner_name

    mark = uuid4().hex
    parent = ["--parent", str(os.getpid())]
    unmask = [sys.executable, "-c", "from server.cli import main; main()"]
    web = [*unmask, "web", *parent, "--fd", str(listener)]
    worker = [*unmask, "worker", *parent, "--mark", mark]
    return [
        Child("web", web, pass_fds=[listener]),
        Child("worker", worker, died=lambda pid: take_back(settings, database, owner_name(mark, pid))),
    ]
