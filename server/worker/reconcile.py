"""Puts back what lost its worker. Runs in every worker process; the conditional UPDATE makes that safe."""

from __future__ import annotations

import threading
from typing import Final

import structlog
from sqlalchemy.exc import SQLAlchemyError

from server.errors import UnmaskError
from server.store import leases
from server.store.db import Database

log = structlog.get_logger()

EVERY_SECONDS: Final = 2.0


class Reconciler(threading.Thread):
    def __init__(self, database: Database, max_attempts: int, every: float = EVERY_SECONDS) -> None:
        super().__init__(name="unmask-reconcile", daemon=True)
        self._database = database
        self._max_attempts = max_attempts
        self._every = every
        self._stopping = threading.Event()

    def run(self) -> None:
        while not self._stopping.wait(self._every):
            try:
                reconcile(self._database, self._max_attempts)
            except (SQLAlchemyError, UnmaskError):
                log.exception("reconcile_failed")  # the next look is two seconds away

    def stop(self) -> None:
        self._stopping.set()


def reconcile(database: Database, max_attempts: int) -> leases.Returned:
    with database.read() as session:
        if not leases.any_expired(session):
            return leases.Returned()
    with database.write() as session:
        returned = leases.reconcile(session, max_attempts)
    if returned:
        log.warning("leases_expired", queued=returned.queued, failed=returned.failed)
    return returned
