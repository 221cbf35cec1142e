"""The worker's edge: take the best due check, run it, and see to it that its row ends in a true state."""

from __future__ import annotations

import threading
from collections.abc import Callable

import structlog
from sqlalchemy.orm import Session

from server import spool
from server.errors import DatabaseBusy, ProcessingFailed, StorageFull, UnmaskError
from server.store import leases
from server.store.tables import Check
from server.worker.gate import Gate
from server.worker.lease import Heart, Lease, LeaseLost
from server.worker.tools import Tools

log = structlog.get_logger()

Runner = Callable[[Check, Lease, Tools], None]

# An ending that cannot be written (locked, disk full) is tried again while the lease is ours, then left to the lease.
ENDING_TRIES = 10
PAUSE_SECONDS = 1.0


class Runs:
    def __init__(self, runner: Runner, tools: Tools, owner: str) -> None:
        self._runner = runner
        self._tools = tools
        self._owner = owner
        self._settings = tools.settings
        self._database = tools.database
        self._gate = Gate()
        self._stopping = threading.Event()
        self.heart = Heart(tools.database, self._settings.lease_seconds)

    def answer(self, claimed: Callable[[], object] = lambda: None) -> None:
        """A hint came: there is work. `claimed` is called once the queue has been asked."""
        if not self._gate.enter():
            return
        try:
            check = self._claim()
            claimed()
            if check is not None:
                self._hold(check)
        finally:
            self._gate.leave()

    def stop(self) -> None:
        """No new check; what runs is told to stop and its row is queued again, not counted as a failure."""
        self._stopping.set()
        self._gate.close()
        held = self.heart.held()
        for lease in held:
            lease.lose()
        if held:
            with self._database.write() as session:
                for lease in held:
                    leases.release(session, lease.check_id, lease.attempt, alone=lease.alone)
        self.heart.stop()

    def _claim(self) -> Check | None:
        seconds, tries = self._settings.lease_seconds, self._settings.max_attempts
        try:
            with self._database.write() as session:
                return leases.claim(session, self._owner, seconds, tries)
        except (DatabaseBusy, StorageFull) as error:
            log.warning("claim_failed", code=error.code)
            self._stopping.wait(PAUSE_SECONDS)  # the row waits in the queue; do not spin
            return None

    def _hold(self, check: Check) -> None:
        lease = Lease(self._database, check.id, check.attempt, self._settings.lease_seconds)
        with (
            structlog.contextvars.bound_contextvars(check_id=check.id, attempt=check.attempt),
            self.heart.beating(lease),
        ):
            again = check.attempt > 1
            if again:
                self._gate.be_alone()
            self._run(check, lease, alone=again)
        if check.spooled is not None:
            self._release(check.spooled)

    def _release(self, upload: str) -> None:
        try:
            spool.release(self._settings, self._database, upload)
        except (UnmaskError, OSError):
            log.exception("upload_not_released", file=upload)  # the next start sweeps it

    def _run(self, check: Check, lease: Lease, *, alone: bool) -> None:
        try:
            lease.begin(alone=alone)
            self._runner(check, lease, self._tools)
            self._ended(lease)
        except LeaseLost:
            log.info("lease_lost")
        except UnmaskError as error:
            self._failed(check, lease, error)
        except Exception:
            if lease.lost.is_set():  # what breaks when its child is ended under it is no failure
                log.info("lease_lost", exc_info=True)
                return
            log.exception("check_broke")
            self._end(lease, lambda session: leases.fail(session, check.id, check.attempt, ProcessingFailed()))

    def _ended(self, lease: Lease) -> None:
        """A run that came back without an ending is a defect; its row must not stay `analyzing` for ever."""
        with self._database.read() as session:
            row = session.get_one(Check, lease.check_id)
        if row.attempt == lease.attempt and row.state in leases.RUNNING:
            raise RuntimeError(f"the run of check {lease.check_id} ended without finishing its row")
        log.info("check_ended", state=row.state)

    def _failed(self, check: Check, lease: Lease, error: UnmaskError) -> None:
        if lease.lost.is_set():
            log.info("lease_lost", code=error.code)
        elif isinstance(error, (DatabaseBusy, StorageFull)):
            log.warning("check_deferred", code=error.code)
            self._end(lease, lambda s: leases.defer(s, check, check.attempt, error, alone=lease.alone))
        else:
            log.info("check_failed", code=error.code, details=error.details)
            self._end(lease, lambda session: leases.fail(session, check.id, check.attempt, error))

    def _end(self, lease: Lease, write: Callable[[Session], bool]) -> None:
        for _ in range(ENDING_TRIES):
            try:
                with self._database.write() as session:
                    if not write(session):
                        log.info("lease_lost")
                return
            except (DatabaseBusy, StorageFull) as error:
                log.warning("ending_not_written", code=error.code)
            if self._stopping.wait(PAUSE_SECONDS) or lease.lost.is_set():
                return
