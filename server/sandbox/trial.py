"""An entry point that tries, from inside a child, what no child may do. What succeeds is not held here.

Asking the kernel what it offers would say less: a filter that is installed and wrong looks like one that is right.
"""

from __future__ import annotations

import errno
import os
import resource
import socket
from collections.abc import Callable
from pathlib import Path

from server.sandbox import syscalls
from server.sandbox.wire import Channel, Header

_NO_NETWORK = frozenset({errno.EPERM, errno.EACCES, errno.ENETUNREACH, errno.ENETDOWN, errno.EAFNOSUPPORT})


def main(command: Header, channel: Channel) -> None:
    secret = Path(command["secret"])
    attempts: dict[str, Callable[[], str | None]] = {
        "network": _connect,
        "reading": lambda: "read a file that is none of its business" if secret.read_bytes() else None,
        "writing": lambda: "wrote outside its folder" if secret.write_bytes(b"x") else None,
        "programs": _fork,
        "signals": _signal,
        "privileges": _privileges,
        "limits": _limits,
    }
    succeeded = {name: what for name, attempt in attempts.items() if (what := _tried(attempt))}
    channel.send({"type": "trial", "succeeded": succeeded, "refused": command["refused"]})


def _tried(attempt: Callable[[], str | None]) -> str | None:
    try:
        return attempt()
    except OSError:
        return None


def _connect() -> str | None:
    for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM):
        try:
            with socket.socket(socket.AF_INET, kind) as made:
                made.settimeout(1.0)
                made.connect(("127.0.0.1", 9))
        except OSError as error:
            if error.errno in _NO_NETWORK:
                continue
        return "reached a network"
    return None


def _fork() -> str:
    child = os.fork()
    if child == 0:
        os._exit(0)
    os.waitpid(child, 0)
    return "started a process"


def _signal() -> str:
    os.kill(os.getppid(), 0)
    return "may send signals to other processes"


def _privileges() -> str | None:
    if os.geteuid() == 0:
        return "runs as root"
    return None if syscalls.prctl(syscalls.PR_GET_NO_NEW_PRIVS, 0) == 1 else "may gain privileges"


def _limits() -> str | None:
    which = (resource.RLIMIT_AS, resource.RLIMIT_FSIZE, resource.RLIMIT_CPU)
    unbounded = any(resource.getrlimit(limit)[0] == resource.RLIM_INFINITY for limit in which)
    return "has no limit on memory, file size or CPU time" if unbounded else None
