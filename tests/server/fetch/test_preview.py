from __future__ import annotations

import json

import pytest

from server.errors import AddressRefused, NoMedia
from server.fetch.preview import MOST_PICTURES, pictures
from server.fetch.sources import Fetched
from tests.server.fetch.conftest import Fetch
from tests.server.fetch.server import Server

PAGE = "https://news.example/2026/story.html"


@pytest.mark.parametrize(
    ("html", "found"),
    [
        ('<meta property="og:image" content="/a.jpg">', ["https://news.example/a.jpg"]),
        ("<META Property='OG:IMAGE' Content=' b.jpg '/>", ["https://news.example/2026/b.jpg"]),
        ('<meta name="twitter:image" content="//cdn.example/c.jpg">', ["https://cdn.example/c.jpg"]),
        ('<link rel="image_src" href="d.jpg">', ["https://news.example/2026/d.jpg"]),
        ('<base href="/x/"><meta itemprop="image" content="e.jpg">', ["https://news.example/x/e.jpg"]),
        ('<meta name="twitter:image" content="/2"><meta property="og:image" content="/1">', ["/1", "/2"]),
        ('<meta property="og:image" content="/1"><meta property="og:image" content="/1">', ["/1"]),
        ('<meta property="og:image" content=""><img src="/logo.png">', []),
        ("".join(f'<meta property="og:image" content="/{n}">' for n in range(50)), ["/0", "/1", "/2", "/3"]),
    ],
)
def test_what_a_page_names_as_its_picture(html: str, found: list[str]) -> None:
    expected = [f"https://news.example{each}" if each.startswith("/") else each for each in found]
    assert pictures(f"<html><head>{html}</head></html>", PAGE) == expected
    assert len(found) <= MOST_PICTURES


@pytest.mark.parametrize(
    ("said", "found"),
    [
        ({"@type": "NewsArticle", "image": "/1.jpg"}, ["/1.jpg"]),
        ({"@type": "NewsArticle", "image": ["/1.jpg", "/2.jpg"]}, ["/1.jpg", "/2.jpg"]),
        ({"image": {"@type": "ImageObject", "url": "/3.jpg"}}, ["/3.jpg"]),
        ({"@graph": [{"@type": "ImageObject", "contentUrl": "/4.jpg"}]}, ["/4.jpg"]),
        ({"image": {"@type": "ImageObject", "url": 7}}, []),
        ([[[[[[[[[[{"image": "/deep.jpg"}]]]]]]]]]], []),
        ("text", []),
    ],
)
def test_what_json_ld_says(said: object, found: list[str]) -> None:
    html = f'<script type="application/ld+json">{json.dumps(said)}</script>'
    assert pictures(html, PAGE) == [f"https://news.example{each}" for each in found]


@pytest.mark.parametrize(
    "html", ["<<<<", "<meta property=og:image content=http://[>", '<script type="application/ld+json">{']
)
def test_broken_pages_name_nothing_or_something(html: str) -> None:
    assert isinstance(pictures(html, PAGE), list)


def test_a_page_about_a_picture(web: Server, fetch: Fetch, jpeg: bytes) -> None:
    web.put("/full.jpg", jpeg)
    page = web.page("/photo", '<meta property="og:image" content="/gone.jpg"><link rel="image_src" href="/full.jpg">')
    found = fetch(page)
    assert isinstance(found, Fetched)
    assert (found.mime, found.size, found.extractor, found.final_url) == ("image/jpeg", len(jpeg), "preview", page)
    assert {headers.get("Referer") for path, headers in web.seen if path == "/full.jpg"} == {page}


def test_a_video_comes_before_its_preview(web: Server, fetch: Fetch, jpeg: bytes, clip: bytes) -> None:
    web.put("/clip.mp4", clip, Content_Type="video/mp4")
    web.put("/full.jpg", jpeg)
    found = fetch(web.page("/v", '<meta property="og:image" content="/full.jpg"><video src="/clip.mp4"></video>'))
    assert isinstance(found, Fetched)
    assert found.mime == "video/mp4"
    assert "/full.jpg" not in web.paths()


def test_a_picture_in_a_private_network(web: Server, fetch: Fetch) -> None:
    with pytest.raises(AddressRefused):
        fetch(web.page("/p", '<meta property="og:image" content="http://169.254.169.254/a.jpg">'))


def test_a_preview_that_is_a_page_again(web: Server, fetch: Fetch) -> None:
    page = web.page("/p", '<meta property="og:image" content="/p">')
    with pytest.raises(NoMedia):
        fetch(page)
