"""A name is resolved once, the answers are vetted, and the very address that was vetted is dialled."""

from __future__ import annotations

import ipaddress
import socket
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from server.errors import AddressRefused, DnsFailed, FetchError, FetchTimeout, HttpFailed
from server.fetch.address import Address, Networks, own_addresses, vet

CONNECT_SECONDS = 8.0
_MOST_ADDRESSES = 4  # of one name; more would only draw out the end

Dial = Callable[[str, int, float], socket.socket]  # (host, port, seconds it may take) -> connected


@dataclass(frozen=True)
class Vetted:
    """`allow` are the operator's own networks, where any port will do."""

    allow: Networks
    own: frozenset[Address] = field(default_factory=own_addresses)

    def __call__(self, host: str, port: int, seconds: float) -> socket.socket:
        """Raises AddressRefused when no address of the host may be dialled, otherwise why none could be reached."""
        deadline = time.monotonic() + min(seconds, CONNECT_SECONDS)
        refused: AddressRefused | None = None
        failed: FetchError | None = None
        for ip in list(dict.fromkeys(_resolved(host, port)))[:_MOST_ADDRESSES]:
            try:
                vet(ip, port, self.allow, self.own)
                return _connected(ip, port, deadline - time.monotonic())
            except AddressRefused as refusal:
                refused = refused or refusal
            except FetchError as error:
                failed = error
        raise failed or refused or DnsFailed()


def _resolved(host: str, port: int) -> Iterator[str]:
    """As the system reads a host, decimal, hexadecimal and shortened spellings of IPv4 included."""
    try:
        for *_, address in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM):
            yield str(address[0])
    except (OSError, UnicodeError):
        raise DnsFailed from None


def _connected(ip: str, port: int, seconds: float) -> socket.socket:
    if seconds <= 0:
        raise FetchTimeout
    family = socket.AF_INET6 if ipaddress.ip_address(ip).version == 6 else socket.AF_INET
    made = socket.socket(family, socket.SOCK_STREAM)
    try:
        made.settimeout(seconds)
        made.connect((ip, port))
        made.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    except TimeoutError:
        made.close()
        raise FetchTimeout from None
    except OSError as error:
        made.close()
        reason = type(error).__name__
        raise HttpFailed("The other server could not be reached.", details={"reason": reason}) from None
    return made
