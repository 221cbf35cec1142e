from __future__ import annotations

import socket
from collections.abc import Iterator
from typing import Any

import pytest

from server.errors import AddressRefused, DnsFailed, FetchTimeout, HttpFailed
from server.fetch import dial
from server.fetch.address import networks
from server.fetch.dial import Vetted
from tests.served import free_port

NOWHERE = Vetted(networks(""), frozenset())
LOOPBACK = Vetted(networks("127.0.0.1/32"), frozenset())


@pytest.fixture
def listening() -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


def resolving(monkeypatch: pytest.MonkeyPatch, *answers: list[str]) -> list[str]:
    """A name server that gives these answers, one after the other; returns the names it was asked for."""
    asked: list[str] = []
    left = list(answers)

    def getaddrinfo(host: str, port: int, **_: Any) -> list[tuple[Any, ...]]:
        asked.append(host)
        return [(0, 0, 0, "", (ip, port)) for ip in left.pop(0)]

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    return asked


@pytest.mark.parametrize(
    ("host", "reason"),
    [
        ("127.0.0.1", "loopback"),
        ("localhost", "loopback"),
        ("2130706433", "loopback"),
        ("0x7f000001", "loopback"),
        ("0x7f.1", "loopback"),
        ("0177.0.0.1", "loopback"),
        ("127.1", "loopback"),
        ("0", "unspecified"),
        ("0.0.0.0", "unspecified"),
        ("10.1", "private"),
        ("3232235521", "private"),
        ("2852039166", "metadata"),
        ("0xa9.0xfe.0xa9.0xfe", "metadata"),
        ("0251.0376.0251.0376", "metadata"),
        ("169.254.43518", "metadata"),
        ("168.63.129.16", "metadata"),
        ("100.100.100.200", "metadata"),
        ("::1", "loopback"),
        ("::", "unspecified"),
        ("::ffff:127.0.0.1", "mapped"),
        ("::ffff:a9fe:a9fe", "mapped"),
        ("::127.0.0.1", "mapped"),
        ("64:ff9b::a9fe:a9fe", "nat64"),
        ("2002:7f00:1::", "sixto4"),
        ("2001:0:4136:e378:8000:63bf:5601:5601", "teredo"),
        ("fd00:ec2::254", "metadata"),
        ("fe80::1", "link_local"),
        ("fec0::1", "private"),
        ("2606:2800:21f:0:0:5efe:a9fe:a9fe", "isatap"),
        ("224.0.0.1", "multicast"),
        ("255.255.255.255", "reserved"),
    ],
)
def test_however_a_host_is_spelt(host: str, reason: str) -> None:
    with pytest.raises(AddressRefused) as caught:
        NOWHERE(host, 80, 5)
    assert caught.value.details["reason"] == reason


@pytest.mark.parametrize("host", ["127.0.0.1.example..", "a b", "", "\u2460", "x" * 300, "exa\0mple.org"])
def test_what_is_no_host(host: str) -> None:
    with pytest.raises((DnsFailed, AddressRefused)):
        NOWHERE(host, 80, 5)


def test_the_port_counts(listening: int) -> None:
    with pytest.raises(AddressRefused) as caught:
        NOWHERE("8.8.8.8", 22, 5)
    assert caught.value.details["reason"] == "port"
    LOOPBACK("127.0.0.1", listening, 5).close()


def test_a_name_is_resolved_once_and_that_answer_dialled(monkeypatch: pytest.MonkeyPatch, listening: int) -> None:
    asked = resolving(monkeypatch, ["127.0.0.1"], ["127.0.0.2"])
    with LOOPBACK("rebinding.example", listening, 5) as made:
        assert made.getpeername() == ("127.0.0.1", listening)
    assert asked == ["rebinding.example"]
    with pytest.raises(AddressRefused):
        LOOPBACK("rebinding.example", listening, 5)


def test_of_several_answers_only_the_vetted_are_dialled(monkeypatch: pytest.MonkeyPatch, listening: int) -> None:
    resolving(monkeypatch, ["169.254.169.254", "10.0.0.1", "127.0.0.1"])
    with LOOPBACK("mixed.example", listening, 5) as made:
        assert made.getpeername()[0] == "127.0.0.1"


def test_own_addresses_are_refused_by_name() -> None:
    own = Vetted(networks(""), frozenset({dial.ipaddress.ip_address("8.8.8.8")}))
    with pytest.raises(AddressRefused) as caught:
        own("8.8.8.8", 443, 5)
    assert caught.value.details["reason"] == "own_address"


def test_why_nobody_was_reached(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(HttpFailed, match="could not be reached"):
        LOOPBACK("127.0.0.1", free_port(), 5)
    with pytest.raises(FetchTimeout):
        LOOPBACK("127.0.0.1", 80, 0)
    with pytest.raises(DnsFailed):
        NOWHERE("nowhere.invalid", 80, 5)
