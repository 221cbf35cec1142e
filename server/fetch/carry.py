"""Carries bytes between a client and the addresses that were dialled for it, and counts them."""

from __future__ import annotations

import select
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Final

from server.errors import FetchTimeout, UnmaskError
from server.fetch import tunnel
from server.fetch.dial import Dial
from server.intake import too_large

CHUNK: Final = 256 * 1024
SILENCE_SECONDS: Final = 20.0  # of a tunnel in both directions; who fetches gives up on a server sooner
_OVERHEAD: Final = 1.1  # TLS records, headers, what is asked


@dataclass(frozen=True)
class Allowance:
    """What one client may use, in all its connections together."""

    bytes: int
    connections: int
    seconds: float
    at_once: int = 16


class Carrier:
    """For one client. `carry` blocks, so each connection has a thread of its own."""

    def __init__(self, dial: Dial, allowance: Allowance, token: str = "") -> None:
        self._dial = dial
        self._token = token
        self._allowed = allowance.bytes
        self._deadline = time.monotonic() + allowance.seconds
        self._lock = threading.Lock()
        self._open: set[socket.socket] = set()
        self._closed = False
        self.bytes = 0
        self.stopped: UnmaskError | None = None  # what ran out

    def close(self) -> None:
        """Ends every connection."""
        with self._lock:
            self._closed = True
            for end in self._open:
                with suppress(OSError):
                    end.shutdown(socket.SHUT_RDWR)  # wakes the thread that waits for it, which closes it

    def carry(self, client: socket.socket) -> None:
        """One connection, from the request to its end."""
        with suppress(OSError, UnmaskError), client, self._kept(client):
            client.settimeout(SILENCE_SECONDS)
            try:
                host, port = tunnel.asked(client, self._token)
                self.spend(0)
                server = self._dial(host, port, self.left())
            except UnmaskError as error:
                tunnel.refuse(client, error)
                return
            with server, self._kept(server):
                server.settimeout(SILENCE_SECONDS)
                client.sendall(tunnel.ACCEPTED)
                self._pump(client, server)

    def left(self) -> float:
        return max(0.0, self._deadline - time.monotonic())

    def spend(self, amount: int) -> None:
        """Raises what has run out."""
        with self._lock:
            self.bytes += amount
            over = self.bytes > self._allowed * _OVERHEAD
        if over:
            self.stop(too_large(self._allowed))
        if not self.left():
            self.stop(FetchTimeout())
        if self.stopped is not None:
            raise self.stopped

    def stop(self, why: UnmaskError) -> None:
        self.stopped = self.stopped or why

    def _pump(self, client: socket.socket, server: socket.socket) -> None:
        ends = {client.fileno(): (client, server), server.fileno(): (server, client)}
        poll = select.poll()
        for fd in ends:
            poll.register(fd, select.POLLIN)
        while ready := poll.poll(1000 * min(SILENCE_SECONDS, self.left())):
            for fd, _ in ready:
                source, target = ends[fd]
                data = source.recv(CHUNK)
                if not data:
                    return
                self.spend(len(data))
                target.sendall(data)
        self.spend(0)  # silent for too long, or late

    @contextmanager
    def _kept(self, end: socket.socket) -> Iterator[None]:
        """While it is open, `close` reaches it."""
        with self._lock:
            if self._closed:
                raise OSError("closed")
            self._open.add(end)
        try:
            yield
        finally:
            with self._lock:
                self._open.discard(end)
