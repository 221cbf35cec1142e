"""One thread owns a model: job threads hand it crops, it runs what has gathered (mostly up to 8, after at most 10 ms).

Two jobs that run a session side by side take each other's cores; gathered, they share one call.
"""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future

import numpy as np
from numpy.typing import NDArray

from models.types import Rgb

MOST_CROPS = 8  # 32 at a time were no faster an image (Meso-4: 2.9 against 2.6 ms) and held 480 MiB more
LONGEST_WAIT = 0.010  # seconds

Arrays = tuple[NDArray[np.float32], ...]
Run = Callable[[NDArray[np.uint8]], Arrays]  # (n, side, side, 3) -> arrays of n rows
_Job = tuple[Sequence[Rgb], "Future[Arrays]"]


class Batcher:
    def __init__(self, run: Run, most: int = MOST_CROPS) -> None:
        self._run, self._most = run, most
        self._waiting: queue.Queue[_Job | None] = queue.Queue()
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._closed = False

    def __call__(self, crops: Sequence[Rgb]) -> Arrays:
        """The model's outputs for these crops, in their order; blocks the calling thread."""
        pieces = [self._submit(crops[i : i + self._most]) for i in range(0, len(crops), self._most)]
        parts = [piece.result() for piece in pieces]
        return tuple(np.concatenate(columns) for columns in zip(*parts, strict=True))

    def close(self) -> None:
        """Finish what was handed in, then end the thread; later calls are refused."""
        with self._lock:
            if self._closed:
                return
            self._closed = True
            thread = self._thread
            self._waiting.put(None)
        if thread:
            thread.join()

    def _submit(self, crops: Sequence[Rgb]) -> Future[Arrays]:
        future: Future[Arrays] = Future()
        with self._lock:
            if self._closed:
                raise RuntimeError("This model has been closed; build a new Analyzer.")
            if self._thread is None:
                self._thread = threading.Thread(target=self._work, name="batcher", daemon=True)
                self._thread.start()
            self._waiting.put((crops, future))
        return future

    def _work(self) -> None:
        ahead: _Job | None = None
        while (job := ahead or self._waiting.get()) is not None:
            jobs, ahead, ended = self._gather(job)
            self._serve(jobs)
            if ended:
                return

    def _gather(self, first: _Job) -> tuple[list[_Job], _Job | None, bool]:
        """Jobs for one run, the job that no longer fitted, and whether the end was seen."""
        jobs, count = [first], len(first[0])
        until = time.monotonic() + LONGEST_WAIT
        while count < self._most:
            try:
                job = self._waiting.get(timeout=max(0.0, until - time.monotonic()))
            except queue.Empty:
                break
            if job is None:
                return jobs, None, True
            if count + len(job[0]) > self._most:
                return jobs, job, False
            jobs.append(job)
            count += len(job[0])
        return jobs, None, False

    def _serve(self, jobs: list[_Job]) -> None:
        try:
            outputs = self._run(np.stack([crop for crops, _ in jobs for crop in crops]))
        except Exception as error:  # noqa: BLE001 - the thread's edge: the error goes to those who wait
            for _, future in jobs:
                future.set_exception(error)
            return
        start = 0
        for crops, future in jobs:
            future.set_result(tuple(output[start : start + len(crops)] for output in outputs))
            start += len(crops)
