"""Puts back what lost its worker, and removes what is over. Runs in every worker process, which its writes allow."""

from __future__ import annotations

import threading
import time
from typing import Final

import structlog
from sqlalchemy.exc import SQLAlchemyError

from server import spool
from server.errors import UnmaskError
from server.settings import Settings
from server.store import leases, people
from server.store.db import Database
from server.worker.media import clean_spool

log = structlog.get_logger()

EVERY_SECONDS: Final = 2.0
SWEEP_SECONDS: Final = 600.0
# An upload lies there before its check is committed, a folder for as long as its check runs; none takes an hour.
LEFT_SECONDS: Final = 3600.0


class Reconciler(threading.Thread):
    def __init__(self, settings: Settings, database: Database, every: float = EVERY_SECONDS) -> None:
        super().__init__(name="unmask-reconcile", daemon=True)
        self._settings = settings
        self._database = database
        self._every = every
        self._stopping = threading.Event()

    def run(self) -> None:
        swept = time.monotonic()
        while not self._stopping.wait(self._every):
            try:
                reconcile(self._settings, self._database)
                if time.monotonic() - swept > SWEEP_SECONDS:
                    swept = time.monotonic()
                    sweep(self._settings, self._database)
            except (SQLAlchemyError, UnmaskError, OSError):
                log.exception("reconcile_failed")  # the next look is two seconds away

    def stop(self) -> None:
        self._stopping.set()


def reconcile(settings: Settings, database: Database) -> leases.Returned:
    with database.read() as session:
        if not leases.any_expired(session):
            return leases.Returned()
    with database.write() as session:
        returned = leases.reconcile(session, settings.max_attempts)
    if returned:
        log.warning("leases_expired", queued=returned.queued, failed=returned.failed)
    return returned


def sweep(settings: Settings, database: Database) -> None:
    """Uploads nobody waits for, folders of killed workers, log-ins and one-time links that have ended."""
    spool.sweep(settings, database, LEFT_SECONDS)
    clean_spool(settings, LEFT_SECONDS)
    with database.write() as session:
        people.remove_ended(session)
