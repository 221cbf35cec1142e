"""Which addresses may be dialled. Every other one is refused with a named reason, from one table.

`ipaddress.is_global` alone lets a third of the cases in the tests through (clouds' metadata, NAT64, 6to4, ISATAP ...).
"""

from __future__ import annotations

import ipaddress
import socket
from itertools import pairwise
from pathlib import Path

from server.errors import AddressRefused

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network
Networks = tuple[Network, ...]

PORTS = frozenset({80, 443, 8080, 8443})

# The first row that holds an address names the reason, so the narrow rows stand before the wide ones.
# Sources: IANA special-purpose registries for IPv4 and IPv6, and the clouds' documentation for `metadata`.
_TABLE: tuple[tuple[Network, str], ...] = tuple(
    (ipaddress.ip_network(network), reason)
    for network, reason in (
        ("169.254.169.254/32", "metadata"),  # AWS, Google, Azure, most others
        ("169.254.170.2/32", "metadata"),  # AWS containers
        ("168.63.129.16/32", "metadata"),  # Azure: a public number
        ("192.0.0.192/32", "metadata"),  # Oracle
        ("100.100.100.200/32", "metadata"),  # Alibaba
        ("fd00:ec2::254/128", "metadata"),  # AWS
        ("fd20:ce::254/128", "metadata"),  # Google
        ("0.0.0.0/8", "unspecified"),
        ("10.0.0.0/8", "private"),
        ("100.64.0.0/10", "shared"),
        ("127.0.0.0/8", "loopback"),
        ("169.254.0.0/16", "link_local"),
        ("172.16.0.0/12", "private"),
        ("192.0.0.0/24", "reserved"),
        ("192.0.2.0/24", "test"),
        ("192.31.196.0/24", "reserved"),  # AS112
        ("192.52.193.0/24", "reserved"),  # AMT
        ("192.88.99.0/24", "sixto4"),  # relay anycast
        ("192.168.0.0/16", "private"),
        ("192.175.48.0/24", "reserved"),  # AS112
        ("198.18.0.0/15", "test"),  # benchmarks
        ("198.51.100.0/24", "test"),
        ("203.0.113.0/24", "test"),
        ("224.0.0.0/4", "multicast"),
        ("240.0.0.0/4", "reserved"),
        ("::/128", "unspecified"),
        ("::1/128", "loopback"),
        ("::ffff:0:0/96", "mapped"),
        ("::/96", "mapped"),  # IPv4-compatible, deprecated
        ("64:ff9b::/96", "nat64"),
        ("64:ff9b:1::/48", "nat64"),
        ("fc00::/7", "unique_local"),
        ("fe80::/10", "link_local"),
        ("fec0::/10", "private"),  # site-local, deprecated
        ("ff00::/8", "multicast"),
        ("2001::/32", "teredo"),
        ("2001:db8::/32", "test"),
        ("2001::/23", "reserved"),
        ("2002::/16", "sixto4"),
        ("2620:4f:8000::/48", "reserved"),  # AS112
        ("3ffe::/16", "reserved"),  # 6bone
        ("3fff::/20", "test"),
    )
)
_GLOBAL_UNICAST = ipaddress.IPv6Network("2000::/3")  # nothing else of IPv6 is handed out
_ISATAP = 0x0000_5EFE  # upper half of the interface id, RFC 5214; the 0x0200_0000 bit may be set


def networks(text: str) -> Networks:
    """From the setting: comma-separated CIDR. Empty means none, never all."""
    return tuple(ipaddress.ip_network(part) for part in (p.strip() for p in text.split(",")) if part)


def refusal(ip: Address) -> str | None:
    """The reason an address is never dialled on the open internet, None when it may be."""
    for network, reason in _TABLE:
        if ip.version == network.version and ip in network:
            return reason
    if isinstance(ip, ipaddress.IPv6Address):
        if ip not in _GLOBAL_UNICAST:
            return "reserved"
        if (int(ip) >> 32) & 0xFDFF_FFFF == _ISATAP:
            return "isatap"
    return None


def vet(ip: str, port: int, allow: Networks, own: frozenset[Address] = frozenset()) -> None:
    """Raise AddressRefused unless this literal and port may be connected to.

    `allow` holds the operator's own networks, where any port will do; metadata services stay refused even there.
    """
    try:
        address = ipaddress.ip_address(ip)
    except ValueError:
        raise _refused("not_an_address", ip, port) from None
    reason = refusal(address)
    if reason != "metadata" and any(address.version == net.version and address in net for net in allow):
        return
    if reason is None and address in own:
        reason = "own_address"
    if reason is None and port not in PORTS:
        reason = "port"
    if reason is not None:
        raise _refused(reason, ip, port)


def _refused(reason: str, ip: str, port: int) -> AddressRefused:
    return AddressRefused(details={"reason": reason, "address": ip, "port": port})


def own_addresses(proc: Path = Path("/proc/net")) -> frozenset[Address]:
    """The addresses of this machine's interfaces: a service on a public one is as internal as one on loopback."""
    found: set[Address] = set()
    try:
        lines = (proc / "fib_trie").read_text("ascii").splitlines()
        for above, line in pairwise(lines):
            if line.strip().startswith("/32 host LOCAL"):
                found.add(ipaddress.ip_address(above.split()[-1]))
        if (proc / "if_inet6").exists():
            for line in (proc / "if_inet6").read_text("ascii").splitlines():
                found.add(ipaddress.IPv6Address(int(line.split()[0], 16)))
    except OSError:  # not Linux, or /proc hidden: what the resolver knows of this host's name
        found.update(_resolved_own())
    return frozenset(found)


def _resolved_own() -> set[Address]:
    try:
        answers = socket.getaddrinfo(socket.gethostname(), None)
    except OSError:
        return set()
    return {ipaddress.ip_address(str(answer[4][0])) for answer in answers}
