"""A right-click anywhere on a media finds it, however the page shows it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.e2e.extension.site import Site

pytestmark = pytest.mark.browser
JOB = (
    "(globalThis.browser ?? chrome).storage.session.get(null).then((all) => Object.values(all)"
    ".find((job) => job.error && (job.media?.url ?? job.media?.frameUrl ?? '').includes('{}')))"
)
# The element that is clicked, what is found, and what Chromium would tell of it (a headless one opens no menu).
CLICKS = [
    ("#img", "plain.jpg", {"srcUrl": "plain.jpg", "mediaType": "image"}),
    ("#picture", "chosen.jpg", {"srcUrl": "chosen.jpg", "mediaType": "image"}),
    ("#css", "back.jpg", {}),
    ("#before", "before.jpg", {}),
    ("#covered", "clip.mp4", {}),
    ("#through", "through.jpg", {}),
    ("#linked", "linked.jpg", {"linkUrl": "clicks.html#there"}),
    ("#svg", "drawn.jpg", {}),
    ("#open", "open.jpg", {}),
    ("#closed", "closed.jpg", {}),
    ("#same >>> #in", "framed.jpg", {"frameUrl": "frame.html"}),
]


@pytest.mark.parametrize(("css", "media", "info"), CLICKS, ids=[css for css, _, _ in CLICKS])
def test_what_was_clicked_is_found(
    anybody: Any,
    pages: tuple[Any, Any],
    site: Site,
    until: Callable[..., Any],
    css: str,
    media: str,
    info: dict[str, str],
) -> None:
    page, options = pages
    told = {name: f"{site.url}/{value}" if name.endswith("Url") else value for name, value in info.items()}
    anybody.choose(page, css, **told)
    job = until(anybody, options, JOB.format(media))
    assert job["media"]["url"] == f"{site.url}/{media}"
    assert job["media"]["kind"] == ("video" if media.endswith(".mp4") else "image")
    assert job["media"]["frameUrl"] == f"{site.url}/{'frame' if '>>>' in css else 'clicks'}.html"
    assert job["error"]["code"] == "not_connected"


def test_a_frame_of_another_site(anybody: Any, pages: tuple[Any, Any], site: Site, until: Callable[..., Any]) -> None:
    page, options = pages
    anybody.choose(page, "#other >>> #in", frameUrl=f"{site.elsewhere}/frame.html")
    job = until(anybody, options, JOB.format(f"{site.elsewhere}/framed.jpg"))
    assert job["media"]["frameUrl"] == f"{site.elsewhere}/frame.html"


def test_a_stream_is_asked_for_by_its_page(
    anybody: Any, pages: tuple[Any, Any], site: Site, until: Callable[..., Any]
) -> None:
    """blob: leads nowhere outside of the browser."""
    page = anybody.open(f"{site.url}/stream.html")
    until(anybody, page, "document.getElementById('stream').src.startsWith('blob:')")
    anybody.choose(page, "#stream", srcUrl="blob:http://127.0.0.1/x", mediaType="video")
    job = until(anybody, pages[1], JOB.format("stream.html"))
    assert job["media"] == {"kind": "video", "url": None, "frameUrl": f"{site.url}/stream.html"}


@pytest.fixture
def pages(request: pytest.FixtureRequest, anybody: Any, site: Site) -> tuple[Any, Any]:
    """The page with everything in it, and one of the extension's to look at what was found: opened once a browser."""
    opened: dict[int, tuple[Any, Any]] = request.session.__dict__.setdefault("clicked_pages", {})
    if id(anybody) not in opened:
        options = anybody.page("options/options.html")
        opened[id(anybody)] = (anybody.open(f"{site.url}/clicks.html"), options)
    anybody.js(opened[id(anybody)][1], "(globalThis.browser ?? chrome).storage.session.clear()")
    return opened[id(anybody)]
