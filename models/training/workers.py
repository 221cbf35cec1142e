"""Processes that work for a run, and end with it."""

from __future__ import annotations

import ctypes
import signal
import sys
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from multiprocessing import get_context
from typing import TypeVar

import cv2

PR_SET_PDEATHSIG = 1
AHEAD = 4  # tasks a worker, so that results do not pile up behind a slow one

A = TypeVar("A")
B = TypeVar("B")


def end_with_parent(worker: int = 0) -> None:
    """What nobody fetches any more kept the processes of a killed run waiting for ever."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def in_processes(work: Callable[[A], B], tasks: Iterable[A], workers: int) -> Iterator[tuple[A, B]]:
    """Each task with its result, in order, with a bounded number of them under way. One worker is this process."""
    if workers == 1:
        yield from ((task, work(task)) for task in tasks)
        return
    waiting: deque[tuple[A, Future[B]]] = deque()
    with ProcessPoolExecutor(workers, get_context("spawn"), _begin) as pool:
        try:
            for task in tasks:
                waiting.append((task, pool.submit(work, task)))
                if len(waiting) >= AHEAD * workers:
                    done, future = waiting.popleft()
                    yield done, future.result()
            while waiting:
                done, future = waiting.popleft()
                yield done, future.result()
        finally:
            pool.shutdown(wait=False, cancel_futures=True)


def _begin() -> None:
    end_with_parent()
    cv2.setNumThreads(1)
