from __future__ import annotations

import json
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress

import pytest

from server.errors import FetchTimeout, TooLarge
from server.fetch.address import networks
from server.fetch.carry import Allowance
from server.fetch.dial import Dial, Vetted
from server.fetch.egress import Egress
from tests.server.worker.toys import until

LOOPBACK = Vetted(networks("127.0.0.1/32"), frozenset())
Open = Callable[..., Egress]


@pytest.fixture
def opened() -> Iterator[Open]:
    with ExitStack() as stack:

        def make(dial: Dial = LOOPBACK, allowed: int = 10**6, connections: int = 50, seconds: float = 20.0) -> Egress:
            return stack.enter_context(Egress(dial, Allowance(allowed, connections, seconds)))

        yield make


@pytest.fixture
def echo() -> Iterator[int]:
    """A server that says back whatever it hears."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            while True:
                try:
                    one, _ = server.accept()
                except OSError:
                    return
                threading.Thread(target=answer, args=(one,), daemon=True).start()

        def answer(one: socket.socket) -> None:
            with one:
                try:
                    while data := one.recv(65536):
                        one.sendall(data)
                except OSError:
                    return

        threading.Thread(target=serve, daemon=True).start()
        yield server.getsockname()[1]
        server.shutdown(socket.SHUT_RDWR)


def knock(egress: Egress, head: bytes) -> socket.socket:
    near, far = socket.socketpair()
    with far:
        socket.send_fds(egress.door, [b"."], [far.fileno()])
    near.settimeout(10)
    near.sendall(head)
    return near


def connect(egress: Egress, port: int, host: str = "127.0.0.1") -> socket.socket:
    near = knock(egress, f"CONNECT {host}:{port} HTTP/1.1\r\n\r\n".encode())
    assert near.recv(100) == b"HTTP/1.1 200 OK\r\n\r\n"
    return near


def drain(near: socket.socket) -> bytes:
    said = b""
    while part := near.recv(65536):
        said += part
    return said


def test_a_tunnel_carries_both_ways_and_counts(opened: Open, echo: int) -> None:
    egress = opened()
    with connect(egress, echo) as near:
        near.sendall(b"x" * 100_000)
        got = 0
        while got < 100_000:
            got += len(near.recv(65536))
    assert egress.bytes == 200_000
    assert egress.connections == 1
    assert egress.stopped is None


def test_a_refusal_is_told_by_name(opened: Open) -> None:
    with knock(opened(), b"CONNECT 169.254.169.254:80 HTTP/1.1\r\nHost: x\r\n\r\n") as near:
        head, _, body = drain(near).partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 403 ")
    told = json.loads(body)
    assert (told["code"], told["details"]["reason"]) == ("address_refused", "metadata")


@pytest.mark.parametrize(
    "head",
    [
        b"GET http://127.0.0.1/ HTTP/1.1\r\n\r\n",
        b"CONNECT 127.0.0.1 HTTP/1.1\r\n\r\n",
        b"CONNECT 127.0.0.1:99999 HTTP/1.1\r\n\r\n",
        b"CONNECT 127.0.0.1:80:80 HTTP/1.1\r\n\r\n",
        b"CONNECT a b:80 HTTP/1.1\r\n\r\n",
        b"CONNECT \xff\xff:80 HTTP/1.1\r\n\r\n",
        b"\x05\x01\x00\r\n\r\n",
        b"x" * 10_000,
    ],
)
def test_what_is_no_request_gets_no_connection(opened: Open, head: bytes) -> None:
    def never(host: str, port: int, seconds: float) -> socket.socket:
        raise AssertionError("dialled")

    with knock(opened(never), head) as near:
        assert drain(near).startswith(b"HTTP/1.1 502 ")


def test_bytes_are_counted_over_all_connections(opened: Open, echo: int) -> None:
    egress = opened(allowed=300_000)
    with connect(egress, echo) as one, connect(egress, echo) as other:
        for near in (one, other):
            with suppress(OSError):
                near.sendall(b"x" * 100_000)
        until(lambda: isinstance(egress.stopped, TooLarge))
    with knock(egress, b"CONNECT 127.0.0.1:%d HTTP/1.1\r\n\r\n" % echo) as near:
        assert b"too_large" in drain(near)


def test_connections_are_counted(opened: Open, echo: int) -> None:
    egress = opened(connections=2)
    for _ in range(2):
        connect(egress, echo).close()
    with knock(egress, b"CONNECT 127.0.0.1:%d HTTP/1.1\r\n\r\n" % echo) as near:
        assert b"too many connections" in drain(near)
    assert egress.stopped is not None


def test_time_runs_out(opened: Open, echo: int) -> None:
    egress = opened(seconds=0.3)
    with connect(egress, echo) as near:
        assert drain(near) == b""
    assert isinstance(egress.stopped, FetchTimeout)


def test_closing_ends_what_is_open(opened: Open, echo: int) -> None:
    egress = opened()
    with connect(egress, echo) as near:
        egress.close()
        assert drain(near) == b""
    until(lambda: not any(thread.name in ("egress", "carrier") for thread in threading.enumerate()))


def test_a_child_that_hands_in_nothing_is_not_listened_to(opened: Open) -> None:
    egress = opened()
    egress.door.sendall(b"no descriptor here")
    with suppress(ConnectionResetError):
        assert egress.door.recv(10) == b""
