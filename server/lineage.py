"""Parents and children: a process that outlives its parent ends, and one whose parent died is not left behind."""

from __future__ import annotations

import ctypes
import os
import signal
import sys
import threading
from collections.abc import Collection
from contextlib import suppress
from pathlib import Path
from typing import Final

PR_SET_PDEATHSIG: Final = 1
PR_SET_CHILD_SUBREAPER: Final = 36
LOOK_SECONDS: Final = 0.5


def end_with_parent(parent: int, signum: int = signal.SIGTERM) -> None:
    """Send ourselves `signum` once `parent` is gone: the kernel does it on Linux, a look twice a second elsewhere."""
    _prctl(PR_SET_PDEATHSIG, signum)
    # Also the parent that died before the line above, and platforms without prctl.
    threading.Thread(target=_watch, args=(parent, signum), name="unmask-parent", daemon=True).start()


def adopt_orphans() -> None:
    """Descendants whose parent dies become our children (Linux), so that we can end them."""
    _prctl(PR_SET_CHILD_SUBREAPER, 1)


def end_orphans(known: Collection[int]) -> list[int]:
    """End every child that we did not start ourselves: its own parent is dead. Returns their pids."""
    orphans = [pid for pid in children() if pid not in known]
    for pid in orphans:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    for pid in orphans:
        with suppress(ChildProcessError):
            os.waitpid(pid, 0)
    return orphans


def children() -> list[int]:
    """Our direct children, those adopted among them. Empty where /proc does not tell."""
    found: list[int] = []
    with suppress(OSError):
        for thread in Path("/proc/self/task").iterdir():
            with suppress(OSError):
                found += map(int, (thread / "children").read_text().split())
    return found


def end_group(group: int, signum: int = signal.SIGKILL) -> None:
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(group, signum)


def _watch(parent: int, signum: int) -> None:
    pause = threading.Event()
    while os.getppid() == parent:
        pause.wait(LOOK_SECONDS)
    os.kill(os.getpid(), signum)


def _prctl(option: int, value: int) -> None:
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(option, value, 0, 0, 0)
