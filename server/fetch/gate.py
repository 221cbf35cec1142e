"""The child's end of the way out: connections are asked for, never made."""

from __future__ import annotations

import json
import socket
from typing import Any

import urllib3.util.connection

from server.errors import AddressRefused, UnmaskError, from_code

ANSWER_BYTES = 8192
_ACCEPTED = b"HTTP/1.1 200 "


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
        host, port = address
        near, far = socket.socketpair()
        try:
            with far:
                socket.send_fds(self._door, [b"."], [far.fileno()])
            near.settimeout(timeout if isinstance(timeout, int | float) else None)
            name = host.strip("[]")
            near.sendall(f"CONNECT {f'[{name}]' if ':' in name else name}:{port} HTTP/1.1\r\n\r\n".encode())
            self._accepted(near)
        except BaseException:
            near.close()
            raise
        return near

    def _accepted(self, near: socket.socket) -> None:
        """Web servers do not speak first, so what comes is the proxy's answer and no more."""
        said = bytearray()
        while part := near.recv(ANSWER_BYTES):
            said += part
            if said.startswith(_ACCEPTED) and said.endswith(b"\r\n\r\n"):
                return
        error = _told(bytes(said))
        if isinstance(error, AddressRefused):
            self.refused = self.refused or error
        raise NotLetThrough(error.message) from error


def _told(said: bytes) -> UnmaskError:
    try:
        told = json.loads(said.partition(b"\r\n\r\n")[2])
        return from_code(told["code"], told["message"], told["details"])
    except (ValueError, KeyError, TypeError):
        return UnmaskError("The way out is closed.")
