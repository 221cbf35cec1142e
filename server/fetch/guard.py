"""The second layer inside a child: an audit hook that refuses connections and programs in Python's own terms.

It cannot be removed again. Where the kernel offers nothing (macOS), it is what there is: code in C does not pass it.
"""

from __future__ import annotations

import sys
from typing import Any

_REFUSED = frozenset(
    {
        "socket.connect", "socket.bind", "socket.getaddrinfo", "socket.gethostbyname", "socket.sendto",
        "subprocess.Popen", "os.system", "os.exec", "os.posix_spawn", "os.spawn", "os.fork", "os.forkpty", "pty.spawn",
        "os.kill", "os.killpg", "os.chown", "os.link", "os.symlink",
    }
)  # fmt: skip


class Blocked(PermissionError):
    """An OSError, which libraries know how to take."""


def arm() -> None:
    sys.addaudithook(_hook)


def _hook(event: str, args: tuple[Any, ...]) -> None:
    if event in _REFUSED:
        raise Blocked(f"{event} is not allowed here")
