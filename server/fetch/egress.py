"""The one way out of a fetching child: a proxy in the parent that dials vetted addresses, and counts.

The child has no network; it holds one end of a socket pair. Over that it hands in the far end of a fresh pair for
each connection it wants, and asks there as any HTTP client asks a proxy: `CONNECT host:port`. What it does with the
tunnel is its own affair: TLS ends in the child, and the bytes are only counted here.
"""

from __future__ import annotations

import json
import re
import select
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from types import TracebackType
from typing import Final

from server.errors import FetchError, FetchTimeout, UnmaskError
from server.fetch.dial import Dial
from server.intake import too_large

HEAD_BYTES: Final = 4096
CHUNK: Final = 256 * 1024
SILENCE_SECONDS: Final = 20.0  # of a tunnel in both directions; the child gives up on a server sooner
_OVERHEAD = 1.1  # TLS records, headers, what is asked
_CONNECT = re.compile(rb"CONNECT (\[[0-9a-fA-F:.%]+\]|[!-9;-~]+):(\d{1,5}) HTTP/1\.[01]\r\n")
_STATUS = {"address_refused": 403, "dns_failed": 502, "fetch_timeout": 504}


@dataclass(frozen=True)
class Allowance:
    """What one fetch may use, in all its connections together."""

    bytes: int
    connections: int
    seconds: float
    at_once: int = 16


class Egress:
    """`with Egress(dial, allowance) as egress:` - and give `egress.door` to the child."""

    def __init__(self, dial: Dial, allowance: Allowance) -> None:
        self._dial = dial
        self._allowance = allowance
        self._deadline = time.monotonic() + allowance.seconds
        self._room = threading.Semaphore(allowance.at_once)
        self._lock = threading.Lock()
        self._open: set[socket.socket] = set()
        self._closed = False
        self.bytes = self.connections = 0
        self.stopped: UnmaskError | None = None  # what ran out
        self._control, self.door = socket.socketpair()
        threading.Thread(target=self._serve, name="egress", daemon=True).start()

    def __enter__(self) -> Egress:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Ends every connection."""
        self.door.close()
        with self._lock:
            self._closed = True
            waiting = [self._control, *self._open]
        for end in waiting:
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)  # wakes the thread that waits for it, which closes it

    def _serve(self) -> None:
        with self._control:
            while (inner := self._next()) is not None:
                self.connections += 1
                if self.connections > self._allowance.connections:
                    limit = self._allowance.connections
                    self._stop(FetchError("The page needs too many connections.", details={"limit": limit}))
                if not self._room.acquire(timeout=self._left()):
                    inner.close()
                    return
                threading.Thread(target=self._tunnel, args=(inner,), name="tunnel", daemon=True).start()

    def _next(self) -> socket.socket | None:
        """None: the child is gone, or talks nonsense."""
        try:
            _, fds, _, _ = socket.recv_fds(self._control, 1, 1)
        except OSError:
            return None
        return socket.socket(fileno=fds[0]) if fds else None

    def _tunnel(self, inner: socket.socket) -> None:
        try:
            with inner, self._kept(inner):
                inner.settimeout(SILENCE_SECONDS)
                try:
                    host, port = asked(inner)
                    self._spend(0)
                    outer = self._dial(host, port, self._left())
                except UnmaskError as error:
                    inner.sendall(answer(error))
                    return
                with outer, self._kept(outer):
                    outer.settimeout(SILENCE_SECONDS)
                    inner.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
                    self._pump(inner, outer)
        except (OSError, UnmaskError):  # one of the two hung up, or what may be used is used up
            return
        finally:
            self._room.release()

    def _pump(self, inner: socket.socket, outer: socket.socket) -> None:
        other = {inner.fileno(): (inner, outer), outer.fileno(): (outer, inner)}
        poll = select.poll()
        for fd in other:
            poll.register(fd, select.POLLIN)
        while ready := poll.poll(1000 * min(SILENCE_SECONDS, self._left())):
            for fd, _ in ready:
                source, target = other[fd]
                data = source.recv(CHUNK)
                if not data:
                    return
                self._spend(len(data))
                target.sendall(data)
        self._spend(0)  # silent for too long, or late

    def _left(self) -> float:
        return max(0.0, self._deadline - time.monotonic())

    def _spend(self, amount: int) -> None:
        with self._lock:
            self.bytes += amount
            over = self.bytes > self._allowance.bytes * _OVERHEAD
        if over:
            self._stop(too_large(self._allowance.bytes))
        if not self._left():
            self._stop(FetchTimeout())
        if self.stopped is not None:
            raise self.stopped

    def _stop(self, why: UnmaskError) -> None:
        self.stopped = self.stopped or why

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


def asked(inner: socket.socket) -> tuple[str, int]:
    """What the other end wants to be connected to."""
    head = bytearray()
    while b"\r\n\r\n" not in head:
        part = inner.recv(HEAD_BYTES)
        head += part
        if not part or len(head) > HEAD_BYTES:
            raise FetchError("This is not a request for a connection.")
    found = _CONNECT.match(head)
    if found is None or int(found[2]) > 65535:
        raise FetchError("This is not a request for a connection.")
    return found[1].decode("ascii").strip("[]"), int(found[2])


def answer(error: UnmaskError) -> bytes:
    body = json.dumps(error.to_json()).encode()
    status = _STATUS.get(error.code, 502)
    return b"HTTP/1.1 %d Refused\r\nContent-Length: %d\r\nConnection: close\r\n\r\n%s" % (status, len(body), body)
