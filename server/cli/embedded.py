"""One server, one data folder: what may be taken for granted when nobody else can own a check."""

from __future__ import annotations

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager

import click
import structlog
from sqlalchemy.exc import SQLAlchemyError

from server import spool
from server.errors import UnmaskError
from server.settings import BadSetting, Settings
from server.store import leases
from server.store.db import Database

log = structlog.get_logger()


@contextmanager
def only_one(settings: Settings) -> Iterator[None]:
    """Two supervisors on one folder would take each other's checks away. The kernel lets go when the process ends."""
    try:
        settings.data_dir.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise BadSetting(f"UNMASK_DATA_DIR: {settings.data_dir} cannot be made: {error.strerror}.") from None
    with (settings.data_dir / "serve.lock").open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise click.ClickException(
                f"Another `unmask serve` runs on {settings.data_dir}. End it, or set UNMASK_DATA_DIR to another folder."
            ) from None
        yield


def recover(settings: Settings, database: Database) -> None:
    """Before the first child starts: queue again what was under way, drop uploads that no check waits for."""
    with database.write() as session:
        returned = leases.requeue_all(session, settings.max_attempts)
    if returned:
        log.warning("recovered", queued=returned.queued, failed=returned.failed)
    spool.sweep(settings, database, older_than=0.0)  # nothing is being received yet


def take_back(settings: Settings, database: Database, owner: str) -> None:
    """That process is dead. Should the database be locked just now, the leases run out by themselves."""
    try:
        with database.write() as session:
            returned = leases.requeue_owner(session, owner, settings.max_attempts)
    except (SQLAlchemyError, UnmaskError):
        log.exception("take_back_failed", owner=owner)
        return
    log.warning("taken_back", queued=returned.queued, failed=returned.failed)
