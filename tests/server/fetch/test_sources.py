from __future__ import annotations

import hashlib

import pytest

from server.errors import (
    AddressRefused,
    DnsFailed,
    EmptyFile,
    FetchTimeout,
    HttpFailed,
    NeedsBrowser,
    NoMedia,
    NotAUrl,
    TooLarge,
    UnsupportedMedia,
    UnsupportedScheme,
)
from server.fetch.sources import Fetched, NotModified
from tests.served import free_port
from tests.server.fetch.conftest import Fetch
from tests.server.fetch.server import Server


def test_a_picture(web: Server, fetch: Fetch, jpeg: bytes) -> None:
    found = fetch(web.put("/photo.php?id=1", jpeg, Content_Type="text/html", ETag='"1"'))
    assert isinstance(found, Fetched)
    assert found.path.read_bytes() == jpeg
    assert found.sha256 == hashlib.sha256(jpeg).hexdigest()
    assert found.path.name == found.sha256 + ".jpg"
    assert (found.size, found.mime, found.etag, found.extractor) == (len(jpeg), "image/jpeg", '"1"', "direct")
    assert found.complete
    assert web.paths() == ["/photo.php?id=1"]  # fetched once


def test_a_clip_by_redirect(web: Server, fetch: Fetch, clip: bytes) -> None:
    web.put("/files/clip", clip)
    found = fetch(web.redirect("/start", "files/../files/clip"))
    assert isinstance(found, Fetched)
    assert (found.mime, found.path.suffix) == ("video/mp4", ".mp4")
    assert found.final_url == web.url("/files/clip")


def test_what_has_not_changed_is_not_sent_again(web: Server, fetch: Fetch, jpeg: bytes) -> None:
    url = web.conditional("/a.jpg", jpeg, '"v1"')
    first = fetch(url)
    assert isinstance(first, Fetched)
    assert fetch(url, etag=first.etag, last_modified=first.last_modified) == NotModified('"v1"', first.last_modified)
    assert isinstance(fetch(url, etag='"v0"'), Fetched)


def test_the_page_is_named_as_referer(web: Server, fetch: Fetch, jpeg: bytes) -> None:
    web.put("/a.jpg", jpeg)
    fetch(web.url("/a.jpg"), page_url="http://news.example/story")
    assert web.seen[0][1]["Referer"] == "http://news.example/story"


def test_the_media_address_is_tried_before_the_page(web: Server, fetch: Fetch, clip: bytes) -> None:
    web.put("/clip", clip)
    page = web.page("/page", "nothing here")
    found = fetch(page, media_url=web.url("/clip"))
    assert not found.from_page
    assert isinstance(found, Fetched)
    assert found.final_url == web.url("/clip")
    assert web.seen[0][1]["Referer"] == page


def test_the_page_stands_in_for_media_that_is_gone(web: Server, fetch: Fetch, clip: bytes) -> None:
    web.put("/new.mp4", clip, Content_Type="video/mp4")
    found = fetch(web.page("/page", '<video src="/new.mp4"></video>'), media_url=web.url("/gone.mp4"))
    assert found.from_page
    assert isinstance(found, Fetched)
    assert found.size == len(clip)


def test_progress_is_told(web: Server, fetch: Fetch, jpeg: bytes) -> None:
    told: list[tuple[int, int | None]] = []
    padded = jpeg + bytes(300_000)
    fetch(web.put("/a.jpg", padded), progress=lambda done, total: told.append((done, total)))
    assert told
    assert all(0 < done <= len(padded) and total == len(padded) for done, total in told)


@pytest.mark.parametrize(
    ("status", "error"),
    [(404, HttpFailed), (410, HttpFailed), (503, HttpFailed), (401, NeedsBrowser), (403, NeedsBrowser)],
)
def test_refusals_by_the_server(web: Server, fetch: Fetch, status: int, error: type[Exception]) -> None:
    with pytest.raises(error) as caught:
        fetch(web.put("/a.jpg", b"no", status))
    assert caught.value.details == {"status": status}  # type: ignore[attr-defined]


def test_no_server_of_that_name(fetch: Fetch) -> None:
    with pytest.raises(DnsFailed):
        fetch("http://nowhere.invalid/a.jpg")


def test_nobody_listens(fetch: Fetch) -> None:
    with pytest.raises(HttpFailed, match="could not be reached"):
        fetch(f"http://127.0.0.1:{free_port()}/")


def test_what_is_not_media(web: Server, fetch: Fetch) -> None:
    with pytest.raises(NoMedia):
        fetch(web.put("/a.jpg", b"PK\x03\x04" + bytes(500)))
    with pytest.raises(EmptyFile):
        fetch(web.put("/empty.jpg", b""))
    with pytest.raises(UnsupportedMedia):
        fetch(web.put("/a.heic", b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + bytes(500)))


def test_a_declared_length_over_the_limit(web: Server, fetch: Fetch, clip: bytes) -> None:
    with pytest.raises(TooLarge) as caught:
        fetch(web.claims("/huge.mp4", clip, 10**12))
    assert caught.value.details["limit_bytes"] == 100 * 1024 * 1024


def test_an_endless_body(web: Server, fetch: Fetch, clip: bytes) -> None:
    with pytest.raises(TooLarge):
        fetch(web.endless("/endless.mp4", clip), MAX_UPLOAD_BYTES=2_000_000)


def test_a_body_that_never_gets_done(web: Server, fetch: Fetch, clip: bytes) -> None:
    with pytest.raises(FetchTimeout):
        fetch(web.slow("/slow.mp4", clip), FETCH_SECONDS=2)


def test_a_clip_cut_short_says_so(web: Server, fetch: Fetch, clip: bytes) -> None:
    found = fetch(web.claims("/clip.mp4", clip[:-1000], len(clip)))
    assert isinstance(found, Fetched)
    assert not found.complete


def test_a_redirect_loop(web: Server, fetch: Fetch) -> None:
    web.redirect("/b", "/a")
    with pytest.raises(HttpFailed) as caught:
        fetch(web.redirect("/a", "/b"))
    assert caught.value.details == {"reason": "redirect_loop"}


@pytest.mark.parametrize(
    ("target", "reason"),
    [
        ("http://127.0.0.2/", "loopback"),
        ("http://169.254.169.254/latest/meta-data/", "metadata"),
        ("http://2852039166/", "metadata"),
        ("http://0xa9.0xfe.0xa9.0xfe/", "metadata"),
        ("http://u:p@10.0.0.1/", "private"),
        ("http://[::ffff:127.0.0.1]/", "mapped"),
        ("http://8.8.8.8:22/", "port"),
    ],
)
def test_a_redirect_into_a_private_network(web: Server, fetch: Fetch, target: str, reason: str) -> None:
    with pytest.raises(AddressRefused) as caught:
        fetch(web.redirect("/a.jpg", target))
    assert caught.value.details["reason"] == reason


def test_a_redirect_out_of_http(web: Server, fetch: Fetch) -> None:
    with pytest.raises(UnsupportedScheme):
        fetch(web.redirect("/a.jpg", "file:///etc/passwd"))


@pytest.mark.parametrize("target", ["http://[", "http://a]/", "http://[::1"])
def test_a_redirect_to_nonsense(web: Server, fetch: Fetch, target: str) -> None:
    with pytest.raises(NotAUrl):
        fetch(web.redirect("/a.jpg", target))


def test_by_default_loopback_is_refused(web: Server, fetch: Fetch, jpeg: bytes) -> None:
    url = web.put("/a.jpg", jpeg)
    for host in ("127.0.0.1", "localhost"):
        with pytest.raises(AddressRefused) as caught:
            fetch(url.replace("127.0.0.1", host), FETCH_ALLOW="")
        assert caught.value.details["reason"] == "loopback"
    assert web.seen == []


@pytest.mark.parametrize(("url", "error"), [("no address", NotAUrl), ("ftp://example.com/a.jpg", UnsupportedScheme)])
def test_what_is_no_web_address(fetch: Fetch, url: str, error: type[Exception]) -> None:
    with pytest.raises(error):
        fetch(url)
