"""`unmask serve`: one command that runs a web and a worker process, restarts what dies and leaves nothing behind.

The supervisor holds the listening socket: while the web process restarts, connections wait instead of being refused.
"""

from __future__ import annotations

import signal
import subprocess
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from types import FrameType
from typing import Final

import structlog

from server import lineage

log = structlog.get_logger()

LOOK_SECONDS: Final = 0.05
# gunicorn's graceful_timeout is 3 s, the worker's end 2 s; with this, all is over within 5 s.
END_SECONDS: Final = 4.0
# The first deaths in a row are answered at once, further ones later and later.
QUICK_RESTARTS: Final = 5
FIRST_PAUSE, LONGEST_PAUSE = 0.2, 15.0
HEALTHY_SECONDS: Final = 10.0
ORPHAN_SECONDS: Final = 2.0


@dataclass
class Child:
    """A process to keep running. `died` is told the pid of each one that ended."""

    name: str
    command: Sequence[str]
    pass_fds: Sequence[int] = ()
    died: Callable[[int], object] = lambda pid: None
    process: subprocess.Popen[bytes] | None = None
    started: float = 0.0
    due: float = 0.0
    deaths: int = field(default=0)  # in a row

    def start(self) -> None:
        # A session of its own: Ctrl-C reaches the supervisor alone, and one signal reaches the whole group.
        self.process = subprocess.Popen(self.command, start_new_session=True, pass_fds=self.pass_fds)
        self.started = time.monotonic()
        log.info("child_started", child=self.name, pid=self.process.pid)

    def look(self, now: float, known: Callable[[], set[int]]) -> None:
        if self.process is not None and (status := self.process.poll()) is not None:
            self._buried(status, now, known)
        if self.process is None and now >= self.due:
            try:
                self.start()
            except OSError:  # no memory or no process left: later there may be
                log.exception("child_not_started", child=self.name)
                self.due = now + LONGEST_PAUSE

    def _buried(self, status: int, now: float, known: Callable[[], set[int]]) -> None:
        assert self.process is not None
        pid, self.process = self.process.pid, None
        lineage.end_group(pid)
        lineage.end_orphans(known())
        self.deaths = 1 if now - self.started > HEALTHY_SECONDS else self.deaths + 1
        pause = min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** (self.deaths - QUICK_RESTARTS))
        self.due = now + (pause if self.deaths >= QUICK_RESTARTS else 0.0)
        log.error("child_died", child=self.name, pid=pid, status=status, again_in=round(self.due - now, 1))
        self.died(pid)


class Supervisor:
    def __init__(self, children: Sequence[Child]) -> None:
        self._children = children
        self._stop = threading.Event()

    def run(self) -> None:
        """Until SIGTERM or Ctrl-C. To be called in the main thread: the kernel ties children to the thread, too."""
        lineage.adopt_orphans()
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(number, self._signalled)
        swept = 0.0
        try:
            while not self._stop.is_set():
                now = time.monotonic()
                for child in self._children:
                    child.look(now, self._pids)
                if now - swept > ORPHAN_SECONDS:
                    swept = now
                    lineage.end_orphans(self._pids())
                # Not Event.wait: the handler that sets it runs in this very thread, inside the event's lock.
                time.sleep(LOOK_SECONDS)
        finally:
            self._end()

    def _signalled(self, number: int, frame: FrameType | None) -> None:
        self._stop.set()

    def _pids(self) -> set[int]:
        return {child.process.pid for child in self._children if child.process is not None}

    def _end(self) -> None:
        running = [child.process for child in self._children if child.process is not None]
        for process in running:
            process.terminate()
        deadline = time.monotonic() + END_SECONDS
        for process in running:
            try:
                process.wait(max(0.0, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                log.warning("child_ended_by_force", pid=process.pid)
            lineage.end_group(process.pid)
            process.wait()
        # Children of children in sessions of their own; ending one may set its own children free.
        while lineage.end_orphans(()):
            pass
