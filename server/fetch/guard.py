"""The child's own gate: an audit hook that vets every literal Python connects to, and refuses to start programs.

It fires at `connect` with the address that is dialled, so redirects, rebinding names and the sub-requests of
playlists pass it as well. It cannot be removed again. Extensions that connect in C do not pass it: none is loaded.
"""

from __future__ import annotations

import socket
import sys
from collections.abc import Callable
from typing import Any

from server.errors import AddressRefused
from server.fetch.address import Networks, own_addresses, vet

_INTERNET = frozenset({socket.AF_INET, socket.AF_INET6})
_PROGRAMS = frozenset(
    {"subprocess.Popen", "os.system", "os.exec", "os.posix_spawn", "os.spawn", "os.fork", "os.forkpty", "pty.spawn"}
)
_DATAGRAMS = frozenset({"socket.sendto", "socket.sendmsg"})  # sendto can open a TCP connection too (MSG_FASTOPEN)


class Blocked(PermissionError):
    """An OSError, so that the next address of a name is tried when one of them is refused."""


class Guard:
    """`refused` keeps the first refusal: libraries on the way up turn the error into their own."""

    def __init__(self, check: Callable[[str, int], None]) -> None:
        self._check = check
        self.refused: AddressRefused | None = None

    def arm(self) -> None:
        sys.addaudithook(self._hook)

    def _hook(self, event: str, args: tuple[Any, ...]) -> None:
        if event == "socket.connect":
            self._connect(*args)
        elif event in _PROGRAMS or event in _DATAGRAMS:
            raise Blocked(f"{event} is not allowed here")

    def _connect(self, connecting: socket.socket, address: Any) -> None:
        if connecting.family not in _INTERNET:
            raise Blocked("only internet addresses may be connected to")
        try:
            self._check(address[0], address[1])
        except AddressRefused as refusal:
            self.refused = self.refused or refusal
            raise Blocked(f"connection refused: {refusal.details['reason']}") from None


def online(allow: Networks) -> Guard:
    """For fetching: public addresses and the operator's networks."""
    own = own_addresses()
    guard = Guard(lambda ip, port: vet(ip, port, allow, own))
    guard.arm()
    return guard


def offline() -> Guard:
    """For decoding: no address at all."""

    def refuse(ip: str, port: int) -> None:
        raise AddressRefused(details={"reason": "offline", "address": ip, "port": port})

    guard = Guard(refuse)
    guard.arm()
    return guard
