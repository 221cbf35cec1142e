"""`unmask worker`: a worker process alone."""

from __future__ import annotations

import click

from server.settings import Settings


@click.command()
@click.option("--parent", type=int, hidden=True, help="End when this process does.")
@click.option("--mark", hidden=True, help="What the supervisor calls this process.")
def worker(parent: int | None, mark: str | None) -> None:
    """Start a worker process alone: it takes queued checks and runs them, UNMASK_CONCURRENCY at once.

    \b
    UNMASK_DATABASE_URL=postgresql+psycopg://unmask@db/unmask unmask worker
    """
    from server.cli.doctor import insist
    from server.lineage import end_with_parent
    from server.logs import configure
    from server.store.db import Database
    from server.worker.media import clean_spool
    from server.worker.owner import owner_name
    from server.worker.pipeline import run_check
    from server.worker.service import WorkerService
    from server.worker.tools import make_tools

    settings = Settings.from_env()
    configure(settings, "worker")
    if parent is None:  # otherwise the supervisor has seen to it
        insist(settings)
    service = WorkerService(run_check, make_tools(settings, Database(settings.database)), owner_name(mark))
    if parent is not None:
        end_with_parent(parent)
        clean_spool(settings, older_than=0.0)  # the only worker of this folder: whatever lies there has no owner
    service.run()
