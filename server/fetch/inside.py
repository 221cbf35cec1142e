"""What a child process does first: bind its life to the parent's, take its limits, then run the entry point.

Started by sandbox.py as `python -s -P -m server.fetch.inside MODULE LIFELINE LIMITS`. All of it happens here and not
between fork and exec (`preexec_fn`), which is unsafe in a process with threads.
"""

from __future__ import annotations

import contextlib
import ctypes
import fcntl
import importlib
import json
import os
import queue
import resource
import signal
import sys
import threading
from typing import cast

from server.fetch.wire import Channel, Header

_PR_SET_NO_NEW_PRIVS = 38
_LIMITS = {
    "memory_bytes": resource.RLIMIT_AS,
    "file_bytes": resource.RLIMIT_FSIZE,
    "cpu_seconds": resource.RLIMIT_CPU,
    "open_files": resource.RLIMIT_NOFILE,
}


class Inbox(Channel):
    """A thread reads the commands, so that the parent's end is noticed at once, whatever the work is doing."""

    def __init__(self, channel: Channel) -> None:
        self._channel = channel
        self._commands: queue.SimpleQueue[Header] = queue.SimpleQueue()
        threading.Thread(target=self._listen, name="inbox", daemon=True).start()

    def send(self, head: Header, payload: bytes | memoryview = b"") -> None:
        try:
            self._channel.send(head, payload)
        except BrokenPipeError:
            end_group()

    def receive(self) -> Header | None:
        return self._commands.get()

    def _listen(self) -> None:
        while (command := self._channel.receive()) is not None:
            self._commands.put(command)
        end_group()


def end_group() -> None:
    """The parent is gone: nothing that was started here may outlive it."""
    os.killpg(0, signal.SIGKILL)


def follow_parent(lifeline: int) -> None:
    """Have the kernel kill this process group when the parent's end of a pipe closes, however the parent ended.

    The inbox notices the same, but only once Python gets its turn: not while an expression matches a hostile page.
    The usual PR_SET_PDEATHSIG follows the thread that started us, not its process, and spares our own children.
    """
    if sys.platform == "linux":
        fcntl.fcntl(lifeline, fcntl.F_SETOWN, -os.getpgrp())
        fcntl.fcntl(lifeline, fcntl.F_SETSIG, signal.SIGKILL)
        fcntl.fcntl(lifeline, fcntl.F_SETFL, fcntl.fcntl(lifeline, fcntl.F_GETFL) | os.O_ASYNC)
        ctypes.CDLL(None).prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)


def take_limits(limits: dict[str, int]) -> None:
    for name, value in {**limits, "core": 0}.items():
        which = _LIMITS.get(name, resource.RLIMIT_CORE)
        _, hard = resource.getrlimit(which)
        value = value if hard == resource.RLIM_INFINITY else min(value, hard)
        with contextlib.suppress(ValueError):  # macOS has no limit on address space
            resource.setrlimit(which, (value, value))


def claim_pipes() -> Channel:
    """Messages travel on copies of stdin and stdout; whatever a library prints goes to stderr."""
    reader, writer = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb", buffering=1024 * 1024)
    with open(os.devnull, "rb") as nothing:  # noqa: PTH123 - a device, not a path of ours
        os.dup2(nothing.fileno(), 0)
    os.dup2(2, 1)
    return Channel(reader, writer)


def main() -> None:
    module, lifeline, limits = sys.argv[1:4]
    follow_parent(int(lifeline))
    channel = Inbox(claim_pipes())
    take_limits(cast("dict[str, int]", json.loads(limits)))
    importlib.import_module(module).main(channel)


if __name__ == "__main__":
    main()
