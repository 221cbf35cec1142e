from __future__ import annotations

import ipaddress
from pathlib import Path

import pytest

from server.errors import AddressRefused
from server.fetch.address import networks, own_addresses, vet

NONE = networks("")


def reason(ip: str, port: int = 443, allow: str = "") -> str | None:
    try:
        vet(ip, port, networks(allow))
    except AddressRefused as refusal:
        return str(refusal.details["reason"])
    return None


ROWS = [
    # each block: just before it, its first and last address, just behind it
    ("0.0.0.0", "unspecified"),
    ("0.255.255.255", "unspecified"),
    ("1.0.0.0", None),
    ("9.255.255.255", None),
    ("10.0.0.0", "private"),
    ("10.255.255.255", "private"),
    ("11.0.0.0", None),
    ("100.63.255.255", None),
    ("100.64.0.0", "shared"),
    ("100.100.100.199", "shared"),
    ("100.100.100.200", "metadata"),
    ("100.127.255.255", "shared"),
    ("100.128.0.0", None),
    ("126.255.255.255", None),
    ("127.0.0.0", "loopback"),
    ("127.255.255.255", "loopback"),
    ("128.0.0.0", None),
    ("168.63.129.15", None),
    ("168.63.129.16", "metadata"),
    ("168.63.129.17", None),
    ("169.253.255.255", None),
    ("169.254.0.0", "link_local"),
    ("169.254.169.253", "link_local"),
    ("169.254.169.254", "metadata"),
    ("169.254.170.2", "metadata"),
    ("169.254.255.255", "link_local"),
    ("169.255.0.0", None),
    ("172.15.255.255", None),
    ("172.16.0.0", "private"),
    ("172.31.255.255", "private"),
    ("172.32.0.0", None),
    ("191.255.255.255", None),
    ("192.0.0.0", "reserved"),
    ("192.0.0.192", "metadata"),
    ("192.0.0.255", "reserved"),
    ("192.0.1.0", None),
    ("192.0.2.0", "test"),
    ("192.0.2.255", "test"),
    ("192.0.3.0", None),
    ("192.31.196.1", "reserved"),
    ("192.52.193.1", "reserved"),
    ("192.88.98.255", None),
    ("192.88.99.0", "sixto4"),
    ("192.88.100.0", None),
    ("192.167.255.255", None),
    ("192.168.0.0", "private"),
    ("192.168.255.255", "private"),
    ("192.169.0.0", None),
    ("192.175.48.1", "reserved"),
    ("198.17.255.255", None),
    ("198.18.0.0", "test"),
    ("198.19.255.255", "test"),
    ("198.20.0.0", None),
    ("198.51.99.255", None),
    ("198.51.100.0", "test"),
    ("198.51.101.0", None),
    ("203.0.112.255", None),
    ("203.0.113.255", "test"),
    ("203.0.114.0", None),
    ("223.255.255.255", None),
    ("224.0.0.0", "multicast"),
    ("239.255.255.255", "multicast"),
    ("240.0.0.0", "reserved"),
    ("255.255.255.255", "reserved"),
    ("::", "unspecified"),
    ("::1", "loopback"),
    ("::2", "mapped"),
    ("::169.254.169.254", "mapped"),
    ("::ffff:8.8.8.8", "mapped"),
    ("::ffff:169.254.169.254", "mapped"),
    ("64:ff9a::1", "reserved"),
    ("64:ff9b::808:808", "nat64"),
    ("64:ff9b:1::a9fe:a9fe", "nat64"),
    ("100::1", "reserved"),
    ("1fff:ffff::1", "reserved"),
    ("2000::1", None),
    ("2001::1", "teredo"),
    ("2001:0:ffff::1", "teredo"),
    ("2001:1::1", "reserved"),
    ("2001:1ff:ffff::1", "reserved"),
    ("2001:200::1", None),
    ("2001:db7:ffff::1", None),
    ("2001:db8::1", "test"),
    ("2001:db9::1", None),
    ("2001:ffff::1", None),
    ("2002::1", "sixto4"),
    ("2002:a9fe:a9fe::1", "sixto4"),
    ("2003::1", None),
    ("2606:2800:21f::14", None),
    ("2606:2800:21f:0:0:5efe:a9fe:a9fe", "isatap"),
    ("2606:2800:21f:0:200:5efe:a9fe:a9fe", "isatap"),
    ("2606:2800:21f:0:100:5efe:a9fe:a9fe", None),
    ("2620:4f:8000::1", "reserved"),
    ("3ffe::1", "reserved"),
    ("3fff::1", "test"),
    ("3fff:1000::1", None),
    ("4000::1", "reserved"),
    ("5f00::1", "reserved"),
    ("fbff::1", "reserved"),
    ("fc00::1", "unique_local"),
    ("fd00:ec2::254", "metadata"),
    ("fdff::1", "unique_local"),
    ("fe00::1", "reserved"),
    ("fe80::1", "link_local"),
    ("fe80::1%lo", "link_local"),
    ("febf::1", "link_local"),
    ("fec0::1", "private"),
    ("ff02::1", "multicast"),
    # connect() would read these as addresses; only the canonical spelling is one here
    ("127.1", "not_an_address"),
    ("0x7f.1", "not_an_address"),
    ("2130706433", "not_an_address"),
    ("0177.0.0.1", "not_an_address"),
    ("example.com", "not_an_address"),
    ("", "not_an_address"),
]


@pytest.mark.parametrize(("ip", "expected"), ROWS)
def test_every_address_has_a_reason_or_none(ip: str, expected: str | None) -> None:
    assert reason(ip) == expected


@pytest.mark.parametrize(
    ("port", "expected"),
    [(79, "port"), (80, None), (81, "port"), (443, None), (8080, None), (8443, None), (22, "port"), (0, "port")],
)
def test_ports_of_the_web(port: int, expected: str | None) -> None:
    assert reason("8.8.8.8", port) == expected


def test_the_operators_networks_at_any_port() -> None:
    assert reason("127.0.0.1", 5000, "10.0.0.0/8, 127.0.0.0/8") is None
    assert reason("10.9.8.7", 22, "10.0.0.0/8") is None
    assert reason("11.0.0.1", 22, "10.0.0.0/8") == "port"
    assert reason("::1", 80, "127.0.0.0/8") == "loopback"
    assert reason("::1", 80, "::1/128") is None
    assert reason("::ffff:127.0.0.1", 80, "127.0.0.0/8") == "mapped"


def test_metadata_services_are_refused_even_there() -> None:
    assert reason("169.254.169.254", 80, "169.254.0.0/16") == "metadata"


def test_no_network_means_none() -> None:
    assert networks("") == networks(" , ") == ()


def test_own_addresses_are_internal(tmp_path: Path) -> None:
    (tmp_path / "fib_trie").write_text(
        "Main:\n  +-- 8.8.8.0/24 2 0 2\n     |-- 8.8.8.0\n        /24 link UNICAST\n"
        "     |-- 8.8.8.8\n        /32 host LOCAL\n     |-- 8.8.8.255\n        /32 link BROADCAST\n"
    )
    (tmp_path / "if_inet6").write_text("26062800021f00000000000000000014 02 40 00 80     eth0\n")
    own = own_addresses(tmp_path)
    assert own == {ipaddress.ip_address("8.8.8.8"), ipaddress.ip_address("2606:2800:21f::14")}
    for ip in ("8.8.8.8", "2606:2800:21f::14"):
        with pytest.raises(AddressRefused) as caught:
            vet(ip, 443, NONE, own)
        assert caught.value.details["reason"] == "own_address"
    vet("8.8.8.9", 443, NONE, own)


def test_own_addresses_without_proc(tmp_path: Path) -> None:
    assert all(isinstance(ip, ipaddress.IPv4Address | ipaddress.IPv6Address) for ip in own_addresses(tmp_path))
