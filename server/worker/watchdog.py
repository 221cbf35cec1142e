"""Ends what runs too long. Threads know no deadlines: first the run is told, then its whole process ends."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable
from typing import Final

import structlog

from server.settings import Settings
from server.worker.lease import Heart

log = structlog.get_logger()

# Beside fetching and decoding, which have deadlines of their own: detectors on a slow machine, and writing.
MARGIN_SECONDS: Final = 180.0
GRACE_SECONDS: Final = 5.0
EX_SOFTWARE: Final = 70  # sysexits.h


def limit(settings: Settings) -> float:
    return settings.fetch_seconds + settings.decode_seconds + MARGIN_SECONDS


class Watchdog(threading.Thread):
    def __init__(
        self, heart: Heart, seconds: float, grace: float = GRACE_SECONDS, end: Callable[[int], object] = os._exit
    ) -> None:
        super().__init__(name="unmask-watchdog", daemon=True)
        self._heart = heart
        self._seconds = seconds
        self._grace = grace
        self._end = end
        self._stopping = threading.Event()

    def run(self) -> None:
        while not self._stopping.wait(min(1.0, self._grace / 5)):
            self.look(time.monotonic())

    def look(self, now: float) -> None:
        for lease in self._heart.held():
            ran = now - lease.started if lease.started is not None else 0.0
            if ran > self._seconds + self._grace:
                log.error("check_overran", check_id=lease.check_id, seconds=round(ran), action="the worker ends")
                self._end(EX_SOFTWARE)
            elif ran > self._seconds and not lease.lost.is_set():
                log.error("check_overran", check_id=lease.check_id, seconds=round(ran), action="the check is stopped")
                lease.lose()  # it is no longer beaten for: its lease runs out and brings it back

    def stop(self) -> None:
        self._stopping.set()
