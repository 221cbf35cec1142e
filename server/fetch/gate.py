"""The child's end of the way out: connections are asked for, never made."""

from __future__ import annotations

import socket
from typing import Any

import urllib3.util.connection

from server.errors import AddressRefused, UnmaskError
from server.fetch import tunnel


class NotLetThrough(ConnectionError):
    """Libraries treat it as a connection that failed; why it did is its cause."""


class Gate:
    """`refused` keeps the first refusal of an address: libraries on the way up turn the error into their own."""

    def __init__(self, door: socket.socket) -> None:
        self._door = door
        self.refused: AddressRefused | None = None

    def open(self) -> None:
        """From here on urllib3, and with it Requests and yt-dlp, connects through the gate."""
        urllib3.util.connection.create_connection = self.connect

    def connect(self, address: tuple[str, int], timeout: Any = None, *_: Any, **__: Any) -> socket.socket:
        """Called as `socket.create_connection`. The parent resolves the name."""
        near, far = socket.socketpair()
        try:
            with far:
                socket.send_fds(self._door, [b"."], [far.fileno()])
            near.settimeout(timeout if isinstance(timeout, int | float) else None)
            tunnel.ask(near, *address)
        except UnmaskError as error:
            near.close()
            if isinstance(error, AddressRefused):
                self.refused = self.refused or error
            raise NotLetThrough(error.message) from error
        except BaseException:
            near.close()
            raise
        return near
