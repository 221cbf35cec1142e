"""Embedded mode: turns queued rows into hints for the `memory://` broker that lives in the worker's own process.

The web process only commits. SQLite's `data_version` says within 50 ms, for a few microseconds of work, that somebody
did; other databases are looked at once a second.
"""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from typing import Final

import structlog
from sqlalchemy.exc import SQLAlchemyError

from server.errors import UnmaskError
from server.store import leases
from server.store.db import Database

log = structlog.get_logger()

TICK_SECONDS: Final = 0.05
LOOK_SECONDS: Final = 1.0
# With nothing running, a hint that was not answered for so long was lost on the way.
FORGET_SECONDS: Final = 10.0


class Hints:
    """Counts hints on their way: at most `limit`, one more than can run, so that no thread waits for the relay."""

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.changed = threading.Event()
        self._lock = threading.Lock()
        self._waiting = 0  # sent, the queue not yet asked on their behalf
        self._running = 0  # being answered
        self._sent_at = 0.0

    def take(self, due: int) -> int:
        """How many hints to send for `due` queued rows; they count as sent."""
        with self._lock:
            if self._waiting and not self._running and time.monotonic() - self._sent_at > FORGET_SECONDS:
                self._waiting = 0
            count = max(0, min(due, self.limit - self._running) - self._waiting)
            if count:
                self._waiting += count
                self._sent_at = time.monotonic()
            return count

    @contextmanager
    def answering(self) -> Iterator[Callable[[], None]]:
        """Around one hint's work; the function it gives is to be called when the queue has been asked."""
        asked = False

        def ask() -> None:
            nonlocal asked
            if not asked:
                asked = True
                self._count(waiting=-1, running=1)

        try:
            yield ask
        finally:
            ask()
            self._count(waiting=0, running=-1)

    def _count(self, waiting: int, running: int) -> None:
        with self._lock:
            self._waiting = max(0, self._waiting + waiting)
            self._running += running
        self.changed.set()


class Relay(threading.Thread):
    def __init__(self, database: Database, hints: Hints, send: Callable[[], object]) -> None:
        super().__init__(name="unmask-relay", daemon=True)
        self._database = database
        self._hints = hints
        self._send = send
        self._stopping = False

    def run(self) -> None:
        while not self._stopping:
            try:
                with self._clock() as version:
                    self._watch(version)
            except (SQLAlchemyError, sqlite3.Error, UnmaskError):
                log.exception("relay_failed")
                time.sleep(LOOK_SECONDS)

    def stop(self) -> None:
        self._stopping = True
        self._hints.changed.set()

    def _watch(self, version: Callable[[], int]) -> None:
        seen, looked = -1, 0.0
        while not self._stopping:
            changed = self._hints.changed.wait(TICK_SECONDS)
            self._hints.changed.clear()
            now, at = version(), time.monotonic()
            if changed or now != seen or at - looked >= LOOK_SECONDS:
                seen, looked = now, at
                self._look()

    def _look(self) -> None:
        with self._database.read() as session:
            due = leases.count_due(session, self._hints.limit)
        for _ in range(self._hints.take(due)):
            self._send()

    @contextmanager
    def _clock(self) -> Iterator[Callable[[], int]]:
        """A connection of its own that never writes: `data_version` moves with other connections' commits only."""
        if not self._database.is_sqlite:
            yield lambda: 0
            return
        with closing(
            sqlite3.connect(self._database.engine.url.database or "", timeout=10, isolation_level=None)
        ) as connection:
            yield lambda: int(connection.execute("PRAGMA data_version").fetchone()[0])
