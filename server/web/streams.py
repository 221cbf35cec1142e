"""Live progress: one thread reads the watched checks four times a second and feeds every open stream.

A stream is a thread of the web process for as long as it is open, so they are few, short and counted.
"""

from __future__ import annotations

import json
import queue
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import structlog
from sqlalchemy import select
from sqlalchemy.exc import SQLAlchemyError

from server.errors import TooManyStreams, UnmaskError
from server.store.db import Database
from server.store.tables import Check
from server.verdict import FINAL_STATES
from server.web.limits import Slots

log = structlog.get_logger("unmask.web")


@dataclass(frozen=True)
class Pace:
    poll: float = 0.25
    heartbeat: float = 15.0  # proxies and browsers give silent connections up after a minute or so
    longest: float = 300.0
    look: float = 1.0  # how soon the place of a reader who left is free again


@dataclass(eq=False)
class _Watcher:
    check_id: str
    inbox: queue.SimpleQueue[dict[str, Any]] = field(default_factory=queue.SimpleQueue)
    last: dict[str, Any] | None = None


class Streams:
    def __init__(self, database: Database, count: int, pace: Pace | None = None) -> None:
        self._database = database
        self._pace = pace or Pace()
        self._slots = Slots(count, TooManyStreams, retry_after=5)
        self._watchers: set[_Watcher] = set()
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None

    def open(self, check_id: str, left: Callable[[], bool] = lambda: False) -> Iterator[str]:
        """Refuses at once when all places are taken; the iterator gives its place back however it ends.

        `left` tells whether the reader is gone: writing would tell as much, but the next line may be 15 s away."""
        self._slots.take()
        return _Stream(self, _Watcher(check_id), self._pace, left)

    def enter(self, watcher: _Watcher) -> None:
        with self._lock:
            self._watchers.add(watcher)
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="progress", daemon=True)
                self._thread.start()

    def leave(self, watcher: _Watcher) -> None:
        with self._lock:
            self._watchers.discard(watcher)
        self._slots.give()

    def _run(self) -> None:
        while True:
            with self._lock:
                watchers = list(self._watchers)
                if not watchers:
                    self._thread = None
                    return
            try:
                self._feed(watchers)
            except (SQLAlchemyError, UnmaskError):  # a locked database passes; streams carry on
                log.warning("progress could not be read", exc_info=True)
            time.sleep(self._pace.poll)

    def _feed(self, watchers: list[_Watcher]) -> None:
        wanted = select(Check.id, Check.state, Check.progress).where(Check.id.in_({w.check_id for w in watchers}))
        with self._database.read() as session:
            now = {row.id: progress(row.state, row.progress) for row in session.execute(wanted)}
        for watcher in watchers:
            found = now.get(watcher.check_id, {"state": "cancelled", "stage": "cancelled", "progress": 1.0})
            if found != watcher.last:
                watcher.last = found
                watcher.inbox.put(found)


class _Stream:
    """An iterator rather than a generator: `close` gives the place back even when nothing was ever read."""

    def __init__(self, streams: Streams, watcher: _Watcher, pace: Pace, left: Callable[[], bool]) -> None:
        self._streams, self._watcher, self._pace, self._left = streams, watcher, pace, left
        self._ends = time.monotonic() + pace.longest
        self._open = True
        self._done = False
        streams.enter(watcher)

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        beat = time.monotonic() + self._pace.heartbeat
        while not self._done and (now := time.monotonic()) < self._ends and not self._left():
            try:
                news = self._watcher.inbox.get(timeout=min(self._pace.look, max(0.0, min(beat, self._ends) - now)))
            except queue.Empty:
                if time.monotonic() >= beat:
                    return ": still here\n\n"
                continue
            self._done = news["state"] in FINAL_STATES
            return f"event: progress\ndata: {json.dumps(news)}\n\n"
        self.close()
        raise StopIteration

    def close(self) -> None:
        if self._open:
            self._open = False
            self._streams.leave(self._watcher)


def progress(state: str, share: float) -> dict[str, Any]:
    """What a reader of a check's progress sees, in a stream or by asking."""
    return {"state": state, "stage": state, "progress": 1.0 if state in FINAL_STATES else round(share, 3)}
