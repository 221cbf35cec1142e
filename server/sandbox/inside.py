"""What a forked child does first: keep only what it was given, give up its rights, then run the entry point."""

from __future__ import annotations

import fcntl
import importlib
import os
import signal
import traceback
from typing import NoReturn

from server.sandbox.confine import Limits, Plan, confine
from server.sandbox.wire import Channel, Header

WAY_OUT = 3  # the file descriptor of the socket that leads out, in a child that was given one
_ANSWERS, _FREE = 4, 16


def live(entry: str, request: Header, fds: list[int], parent: int, refused: dict[str, str]) -> NoReturn:
    """Called in the child right after the fork. Nothing of the zygote's may run again, so this never returns."""
    status = 1
    try:
        os.setsid()
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        answers = _keep(fds)
        plan = request["plan"]
        layers = confine(Plan(**{**plan, "limits": Limits(**plan["limits"])}), parent)
        channel = Channel(os.fdopen(answers, "wb", buffering=1024 * 1024))
        command = {**request["command"], "refused": {**refused, **layers}}
        importlib.import_module(entry).main(command, channel)
        status = 0
    except BaseException:  # noqa: BLE001 - the process's edge: the parent notes what went to stderr
        traceback.print_exc()
    finally:
        os._exit(status)


def _keep(fds: list[int]) -> int:
    """Each of them under a number of its own, and no other. What libraries print goes to stderr."""
    answers, stderr, *way_out = [fcntl.fcntl(fd, fcntl.F_DUPFD, _FREE) for fd in fds]
    for fd, place in ((stderr, 1), (stderr, 2), (answers, _ANSWERS), *((fd, WAY_OUT) for fd in way_out)):
        os.dup2(fd, place)
    if not way_out:
        os.closerange(WAY_OUT, _ANSWERS)
    os.closerange(_ANSWERS + 1, os.sysconf("SC_OPEN_MAX"))
    return _ANSWERS
