"""The listening socket, taken before anything else starts, so that a taken port is said in one line."""

from __future__ import annotations

import errno
import socket
import time
from typing import Final

import click

from server.settings import Settings

BACKLOG: Final = 512
# A server that was just killed lets go of its port within that time.
PATIENCE_SECONDS: Final = 1.5


def listen(settings: Settings, patience: float = PATIENCE_SECONDS) -> socket.socket:
    deadline = time.monotonic() + patience
    while True:
        try:
            return _bound(settings)
        except OSError as error:
            if error.errno == errno.EADDRINUSE and time.monotonic() < deadline:
                time.sleep(0.1)
                continue
            raise click.ClickException(_sentence(settings, error)) from error


def _bound(settings: Settings) -> socket.socket:
    family, kind, protocol, _, address = socket.getaddrinfo(
        settings.host, settings.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
    )[0]
    made = socket.socket(family, kind, protocol)
    try:
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        made.bind(address)
        made.listen(BACKLOG)
    except OSError:
        made.close()
        raise
    return made


def _sentence(settings: Settings, error: OSError) -> str:
    if error.errno == errno.EADDRINUSE:
        return (
            f"UNMASK_PORT: port {settings.port} on {settings.host} is taken by another program."
            " End it, or set UNMASK_PORT to a free port."
        )
    if error.errno == errno.EACCES:
        return f"UNMASK_PORT: you may not listen on port {settings.port}. Set UNMASK_PORT to one above 1023."
    return f"UNMASK_HOST: cannot listen on {settings.host}: {error.strerror or error}"
