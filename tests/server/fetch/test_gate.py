from __future__ import annotations

import socket

import pytest

from server.errors import AddressRefused, DnsFailed, UnmaskError
from server.fetch.address import networks
from server.fetch.carry import Allowance
from server.fetch.dial import Vetted
from server.fetch.egress import Egress
from server.fetch.failures import causes
from server.fetch.gate import Gate, NotLetThrough
from tests.server.fetch.server import Server

ALLOWANCE = Allowance(10**6, 50, 20)


@pytest.fixture
def egress() -> Egress:
    return Egress(Vetted(networks("127.0.0.1/32"), frozenset()), ALLOWANCE)


def test_a_connection_is_asked_for(egress: Egress, web: Server) -> None:
    web.put("/", b"hello")
    with egress, Gate(egress.door).connect(("127.0.0.1", web.server_port), 5) as near:
        near.sendall(b"GET / HTTP/1.0\r\n\r\n")
        said = b""
        while part := near.recv(4096):
            said += part
    assert said.endswith(b"hello")


@pytest.mark.parametrize(
    ("host", "error"), [("10.0.0.1", AddressRefused), ("[::1]", AddressRefused), ("nowhere.invalid", DnsFailed)]
)
def test_why_it_was_not_let_through_is_its_cause(egress: Egress, host: str, error: type[UnmaskError]) -> None:
    gate = Gate(egress.door)
    with egress, pytest.raises(NotLetThrough) as caught:
        gate.connect((host, 80), 5)
    assert any(isinstance(cause, error) for cause in causes(caught.value))
    assert (gate.refused is not None) == (error is AddressRefused)


def test_the_first_refusal_is_kept(egress: Egress) -> None:
    gate = Gate(egress.door)
    with egress:
        for host in ("169.254.169.254", "10.0.0.1"):
            with pytest.raises(NotLetThrough):
                gate.connect((host, 80), 5)
    assert gate.refused is not None
    assert gate.refused.details["reason"] == "metadata"


def test_a_parent_that_is_gone(egress: Egress) -> None:
    ours, theirs = socket.socketpair()
    theirs.close()
    with egress, ours, pytest.raises(OSError):
        Gate(ours).connect(("127.0.0.1", 80), 5)
