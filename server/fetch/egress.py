"""The one way out of a fetching child: a proxy in the parent.

The child has no network; it holds one end of a socket pair. Over that it hands in the far end of a fresh pair for
each connection it wants, and asks there as any HTTP client asks a proxy: `CONNECT host:port`. What it does with the
connection is its own affair: TLS ends in the child, and the bytes are only counted here.
"""

from __future__ import annotations

import os
import socket
import threading
from contextlib import suppress
from types import TracebackType

from server.errors import FetchError, UnmaskError
from server.fetch.carry import Allowance, Carrier
from server.fetch.dial import Dial


class Egress:
    """`with Egress(dial, allowance) as egress:` - and give `egress.door` to the child."""

    def __init__(self, dial: Dial, allowance: Allowance) -> None:
        self._carrier = Carrier(dial, allowance)
        self._most = allowance.connections
        self._room = threading.Semaphore(allowance.at_once)
        self.connections = 0
        self._control, self.door = socket.socketpair()
        threading.Thread(target=self._serve, name="egress", daemon=True).start()

    def __enter__(self) -> Egress:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def bytes(self) -> int:
        return self._carrier.bytes

    @property
    def stopped(self) -> UnmaskError | None:
        """What ran out, if something did."""
        return self._carrier.stopped

    def close(self) -> None:
        """Ends every connection."""
        self.door.close()
        with suppress(OSError):
            self._control.shutdown(socket.SHUT_RDWR)  # wakes the thread that waits for it, which closes it
        self._carrier.close()

    def _serve(self) -> None:
        with self._control:
            while (client := self._next()) is not None:
                self.connections += 1
                if self.connections > self._most:
                    error = FetchError("The page needs too many connections.", details={"limit": self._most})
                    self._carrier.stop(error)
                if not self._room.acquire(timeout=self._carrier.left()):
                    client.close()
                    return
                threading.Thread(target=self._carry, args=(client,), name="carrier", daemon=True).start()

    def _next(self) -> socket.socket | None:
        """None: the child is gone, or talks nonsense."""
        with suppress(OSError):
            _, fds, _, _ = socket.recv_fds(self._control, 1, 1)
            for fd in fds:
                try:
                    return socket.socket(fileno=fd)
                except OSError:  # not a socket
                    os.close(fd)
        return None

    def _carry(self, client: socket.socket) -> None:
        try:
            self._carrier.carry(client)
        finally:
            self._room.release()
