"""The same way out for workers on a network without one: `unmask proxy` beside them, and what they dial through.

The address names both ends: the proxy listens there, the workers connect there, and its password is their token.
"""

from __future__ import annotations

import socket
import threading
from dataclasses import dataclass
from typing import Final
from urllib.parse import unquote, urlsplit

from server.errors import HttpFailed, UnmaskError
from server.fetch import tunnel
from server.fetch.carry import Allowance, Carrier
from server.fetch.dial import CONNECT_SECONDS, Dial

AT_ONCE: Final = 256  # connections of all workers together
BACKLOG: Final = 128


@dataclass(frozen=True)
class Address:
    host: str
    port: int
    token: str

    @classmethod
    def parse(cls, url: str) -> Address:
        """`http://:TOKEN@HOST:PORT`, as the setting has it."""
        parts = urlsplit(url)
        return cls(parts.hostname or "", parts.port or 0, unquote(parts.password or ""))


@dataclass(frozen=True)
class Through:
    """A Dial by way of an `unmask proxy`, which resolves and vets."""

    proxy: Address

    def __call__(self, host: str, port: int, seconds: float) -> socket.socket:
        made: socket.socket | None = None
        try:
            made = socket.create_connection((self.proxy.host, self.proxy.port), min(seconds, CONNECT_SECONDS))
            tunnel.ask(made, host, port, self.proxy.token)
        except (OSError, UnmaskError) as error:
            if made is not None:
                made.close()
            if isinstance(error, UnmaskError):
                raise
            raise HttpFailed("The proxy cannot be reached.", details={"reason": type(error).__name__}) from None
        return made


class Proxy:
    """Each connection is a client of its own: `allowance` is for one."""

    def __init__(self, address: Address, dial: Dial, allowance: Allowance) -> None:
        self._token = address.token
        self._dial = dial
        self._allowance = allowance
        self._room = threading.Semaphore(AT_ONCE)
        family = socket.AF_INET6 if ":" in address.host else socket.AF_INET
        self._listener = socket.create_server((address.host, address.port), family=family, backlog=BACKLOG)

    def run(self) -> None:
        """Until the process ends, or the listener is closed."""
        while True:
            self._room.acquire()
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(client,), name="carrier", daemon=True).start()

    def close(self) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _serve(self, client: socket.socket) -> None:
        try:
            Carrier(self._dial, self._allowance, self._token).carry(client)
        finally:
            self._room.release()
