"""What a worker process is called in the rows that it holds."""

from __future__ import annotations

import os
import socket
from uuid import uuid4


def owner_name(mark: str | None = None, pid: int | None = None) -> str:
    """host:pid:mark; the mark sets two containers apart that share a host name and count pids from 1."""
    return f"{socket.gethostname()[:36]}:{pid or os.getpid()}:{mark or uuid4().hex}"
