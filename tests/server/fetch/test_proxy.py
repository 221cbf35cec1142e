from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from server.errors import AddressRefused, Denied, DnsFailed, HttpFailed
from server.fetch.address import networks
from server.fetch.carry import Allowance
from server.fetch.dial import Vetted
from server.fetch.proxy import Address, Proxy, Through
from server.fetch.sources import Fetched
from tests.served import free_port
from tests.server.fetch.conftest import Fetch
from tests.server.fetch.server import Server


@contextmanager
def serving(allow: str = "127.0.0.1/32", most: int = 10**7) -> Iterator[Address]:
    address = Address("127.0.0.1", free_port(), "secret")
    proxy = Proxy(address, Vetted(networks(allow), frozenset()), Allowance(most, 1, 20))
    thread = threading.Thread(target=proxy.run, daemon=True)
    thread.start()
    try:
        yield address
    finally:
        proxy.close()
        thread.join()


def url(address: Address) -> str:
    return f"http://:{address.token}@{address.host}:{address.port}"


def test_an_address_is_read_as_the_setting_has_it() -> None:
    assert Address.parse("http://:a%2Fb@[::1]:8009") == Address("::1", 8009, "a/b")
    assert Address.parse(url(Address("10.1.0.2", 8009, "secret"))) == Address("10.1.0.2", 8009, "secret")


def test_a_worker_without_a_network_fetches_through_it(web: Server, fetch: Fetch, jpeg: bytes, clip: bytes) -> None:
    web.put("/clip.mp4", clip, Content_Type="video/mp4")
    with serving() as address:
        given = {"FETCH_PROXY_URL": url(address), "FETCH_ALLOW": ""}  # what is allowed, the proxy says
        found = fetch(web.put("/a.jpg", jpeg), **given)
        assert isinstance(found, Fetched)
        assert found.size == len(jpeg)
        assert isinstance(fetch(web.page("/page", '<video src="/clip.mp4"></video>'), **given), Fetched)


def test_its_refusals_come_through_by_name(web: Server, fetch: Fetch) -> None:
    with serving() as address:
        for target in (web.url("/x", "127.0.0.2"), web.redirect("/r", "http://169.254.169.254/")):
            with pytest.raises(AddressRefused):
                fetch(target, FETCH_PROXY_URL=url(address), FETCH_ALLOW="127.0.0.0/8")
        with pytest.raises(DnsFailed):
            fetch("http://nowhere.invalid/", FETCH_PROXY_URL=url(address))


def test_who_has_another_token_is_refused(web: Server) -> None:
    with serving() as address:
        for token in ("", "other"):
            with pytest.raises(Denied, match="token"):
                Through(Address(address.host, address.port, token))("127.0.0.1", web.server_port, 5)
        Through(address)("127.0.0.1", web.server_port, 5).close()


def test_a_proxy_that_is_not_there() -> None:
    with pytest.raises(HttpFailed, match="proxy cannot be reached"):
        Through(Address("127.0.0.1", free_port(), "secret"))("127.0.0.1", 80, 5)


def test_it_bounds_what_workers_may_fetch(web: Server, fetch: Fetch) -> None:
    """A worker of another version, or with other limits, is not believed to bound itself."""
    large = web.put("/a.jpg", b"\xff\xd8\xff" + bytes(5_000_000))
    with serving(most=300_000) as address:
        found = fetch(large, FETCH_PROXY_URL=url(address), MAX_UPLOAD_BYTES=50_000_000)
        assert isinstance(found, Fetched)
        assert not found.complete
        assert found.size < 1_000_000
