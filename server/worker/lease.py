"""The right to run one check, and the one thread of a worker process that keeps all of them alive."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import structlog
from sqlalchemy.exc import SQLAlchemyError

from server.errors import UnmaskError
from server.store import leases
from server.store.db import Database

log = structlog.get_logger()


class LeaseLost(Exception):
    """Another worker has the check by now, or nobody wants it any more: stop, and write nothing."""


class Lease:
    """Held by the thread that runs the check. `lost` may be set by the heart's thread at any moment."""

    def __init__(self, database: Database, check_id: str, attempt: int, seconds: float) -> None:
        self.check_id = check_id
        self.attempt = attempt
        self.alone = False
        self.started: float | None = None  # monotonic; None while it waits to be alone
        self.lost = threading.Event()
        self._database = database
        self._seconds = seconds
        self._progress = 0.0
        self._state = leases.RUNNING[0]
        self._lock = threading.Lock()
        self._callbacks: list[Callable[[], object]] = []

    def stage(self, state: str, progress: float) -> None:
        """A new state is written at once; a mere percentage rides on the next beat."""
        self.ensure()
        self._progress = min(1.0, max(0.0, progress))
        if state == self._state:
            return
        with self._database.write() as session:
            held = leases.advance(session, self.check_id, self.attempt, state, self._progress, self._seconds)
        if not held:
            self.lose()
        self.ensure()
        self._state = state

    def begin(self, *, alone: bool) -> None:
        """The work starts now. An attempt alone is counted before it can end the process."""
        self.ensure()
        if alone:
            with self._database.write() as session:
                held = leases.begin_alone(session, self.check_id, self.attempt)
            if not held:
                self.lose()
            self.ensure()
        self.alone = alone
        self.started = time.monotonic()

    def ensure(self) -> None:
        if self.lost.is_set():
            raise LeaseLost(f"check {self.check_id} attempt {self.attempt}")

    def on_lost(self, callback: Callable[[], object]) -> None:
        """Call it as soon as the lease is lost (at once if it is), from another thread: end a child, cancel a run."""
        with self._lock:
            if not self.lost.is_set():
                self._callbacks.append(callback)
                return
        callback()

    def lose(self) -> None:
        with self._lock:
            self.lost.set()
            callbacks, self._callbacks = self._callbacks, []
        for callback in callbacks:
            try:
                callback()
            except Exception:  # one run's clean-up must not stop the heart of the others
                log.exception("lease_callback_failed", check_id=self.check_id)

    @property
    def progress(self) -> float:
        return self._progress


class Heart(threading.Thread):
    """Beats for every lease of the process, in one transaction, three times a lease."""

    def __init__(self, database: Database, seconds: float) -> None:
        super().__init__(name="unmask-heart", daemon=True)
        self._database = database
        self._seconds = seconds
        self._lock = threading.Lock()
        self._leases: set[Lease] = set()
        self._stopping = threading.Event()

    @contextmanager
    def beating(self, lease: Lease) -> Iterator[Lease]:
        with self._lock:
            self._leases.add(lease)
        try:
            yield lease
        finally:
            with self._lock:
                self._leases.discard(lease)

    def held(self) -> list[Lease]:
        with self._lock:
            return list(self._leases)

    def run(self) -> None:
        while not self._stopping.wait(self._seconds / 3):
            try:
                self.beat()
            except (SQLAlchemyError, UnmaskError):
                # The next beat may succeed; if none does, the lease runs out and the attempt fences this run.
                log.exception("beat_failed")

    def beat(self) -> None:
        held = [lease for lease in self.held() if not lease.lost.is_set()]
        if not held:
            return
        with self._database.write() as session:
            gone = [
                lease
                for lease in held
                if not leases.beat(session, lease.check_id, lease.attempt, lease.progress, self._seconds)
            ]
        still = set(self.held())
        for lease in gone:
            if lease in still:  # one that ended meanwhile is not lost, only over
                lease.lose()

    def stop(self) -> None:
        self._stopping.set()
