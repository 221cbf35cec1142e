"""A worker process: Celery's thread pool, the heart, the relay, the reconciler and the watchdog, and a quick end."""

from __future__ import annotations

import os
import signal
import threading
import time
from types import FrameType
from typing import Final

import structlog
from celery import Celery
from sqlalchemy.exc import SQLAlchemyError

from server.errors import UnmaskError
from server.worker.app import make_celery
from server.worker.reconcile import Reconciler
from server.worker.relay import Hints, Relay
from server.worker.runs import Runner, Runs
from server.worker.tasks import register
from server.worker.tools import Tools
from server.worker.watchdog import Watchdog, limit

log = structlog.get_logger()

# What runs is stopped, not waited for: its row is queued again. The supervisor allows four seconds in all.
END_SECONDS: Final = 2.0


class WorkerService:
    def __init__(self, runner: Runner, tools: Tools, owner: str) -> None:
        settings = tools.settings
        self._celery: Celery = make_celery(settings)
        self._runs = Runs(runner, tools, owner)
        hints = Hints(settings.concurrency + 1)
        self._threads = (
            self._runs.heart,
            Watchdog(self._runs.heart, limit(settings)),
            Reconciler(settings, tools.database),
            Relay(tools.database, hints, register(self._celery, self._runs, hints)),
        )
        self._ending = threading.Event()

    def run(self) -> None:
        """Blocks until a signal ends the process; never returns."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._signalled)
        threading.Thread(target=self._end_when_told, name="unmask-end", daemon=True).start()
        for thread in self._threads:
            thread.start()
        log.info("worker_started")
        # Not Celery's own program: its signal handlers would wait for what runs, minutes long.
        worker = self._celery.WorkController(
            loglevel="WARNING", without_gossip=True, without_mingle=True, without_heartbeat=True
        )
        worker.start()
        log.error("celery_ended", exitcode=worker.exitcode)
        self._ending.set()
        threading.Event().wait()

    def _signalled(self, number: int, frame: FrameType | None) -> None:
        self._ending.set()

    def _end_when_told(self) -> None:
        self._ending.wait()
        # Should the database be locked, the exit is not: the lease brings back what could not be released.
        threading.Timer(END_SECONDS, os._exit, (0,)).start()
        try:
            self._runs.stop()
        except (SQLAlchemyError, UnmaskError):
            log.exception("release_failed")
        deadline = time.monotonic() + END_SECONDS / 2
        while self._runs.heart.held() and time.monotonic() < deadline:
            time.sleep(0.02)
        log.info("worker_ended")
        os._exit(0)
