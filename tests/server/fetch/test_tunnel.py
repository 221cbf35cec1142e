from __future__ import annotations

import socket
import threading
from collections.abc import Iterator

import pytest

from server.errors import AddressRefused, Denied, FetchError, UnmaskError
from server.fetch import tunnel

Pair = tuple[socket.socket, socket.socket]


@pytest.fixture
def pair() -> Iterator[Pair]:
    client, server = socket.socketpair()
    with client, server:
        client.settimeout(5)
        server.settimeout(5)
        yield client, server


@pytest.mark.parametrize("host", ["example.org", "8.8.8.8", "2606:2800:21f::14", "[::1]", "xn--bcher-kva.example"])
def test_what_is_asked_is_what_is_heard(pair: Pair, host: str) -> None:
    client, server = pair
    heard: list[tuple[str, int]] = []

    def serve() -> None:
        heard.append(tunnel.asked(server, "token"))
        server.sendall(tunnel.ACCEPTED)

    thread = threading.Thread(target=serve)
    thread.start()
    tunnel.ask(client, host, 443, "token")
    thread.join()
    assert heard == [(host.strip("[]"), 443)]


def test_a_refusal_arrives_as_what_it_is(pair: Pair) -> None:
    client, server = pair
    tunnel.refuse(server, AddressRefused(details={"reason": "loopback"}))
    server.shutdown(socket.SHUT_WR)
    with pytest.raises(AddressRefused) as caught:
        tunnel.ask(client, "example.org", 80)
    assert caught.value.details == {"reason": "loopback"}


@pytest.mark.parametrize("said", [b"", b"HTTP/1.1 502 x\r\n\r\n{}", b"HTTP/1.1 502 x\r\n\r\n[1]", b"\xff\xfe"])
def test_an_answer_that_makes_no_sense(pair: Pair, said: bytes) -> None:
    client, server = pair
    server.sendall(said)
    server.shutdown(socket.SHUT_WR)
    with pytest.raises(UnmaskError, match="way out is closed"):
        tunnel.ask(client, "example.org", 80)


@pytest.mark.parametrize(
    ("head", "error"),
    [
        (b"CONNECT a:80 HTTP/1.1\r\n\r\n", Denied),
        (b"CONNECT a:80 HTTP/1.1\r\nProxy-Authorization: Bearer other\r\n\r\n", Denied),
        (b"CONNECT a:80 HTTP/1.1\r\nX: y\r\nproxy-authorization: bearer token\r\n\r\n", None),
        (b"GET / HTTP/1.1\r\nProxy-Authorization: Bearer token\r\n\r\n", FetchError),
        (b"CONNECT a:80", FetchError),
    ],
)
def test_who_may_ask(pair: Pair, head: bytes, error: type[UnmaskError] | None) -> None:
    client, server = pair
    client.sendall(head)
    client.shutdown(socket.SHUT_WR)
    if error is None:
        assert tunnel.asked(server, "token") == ("a", 80)
    else:
        with pytest.raises(error):
            tunnel.asked(server, "token")
