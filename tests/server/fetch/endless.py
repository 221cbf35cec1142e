"""Everything that would never end, or be far too much, by name: how to serve it, and how the fetch of it must end."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from tests.server.fetch.server import Handler, Server

HLS = "application/vnd.apple.mpegurl"
SMALL = {"MAX_UPLOAD_BYTES": 2_000_000, "FETCH_PAGE_BYTES": 256 * 1024, "FETCH_SECONDS": 4, "FETCH_REQUESTS": 30}
SLOW = {**SMALL, "FETCH_SECONDS": 2}
TAIL = "#EXT-X-ENDLIST"
HEAD = "#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXT-X-PLAYLIST-TYPE:VOD\n"
JPEG = b"\xff\xd8\xff\xe0"


@dataclass(frozen=True)
class Endless:
    serve: Callable[[Server], str]  # returns the address
    ends: tuple[str, ...]  # codes of the errors it may end in
    settings: dict[str, Any] = field(default_factory=lambda: SMALL)


def _raw(web: Server, *parts: bytes, again: bytes = b"", pause: float = 0.0) -> str:
    """Bytes as they are instead of an answer, the last ones again and again."""

    def reply(handler: Handler) -> None:
        for part in parts:
            handler.wfile.write(part)
        while not handler.server.closing.wait(pause):
            handler.wfile.write(again)

    web.replies["/raw"] = reply
    return web.url("/raw")


def _chain(web: Server) -> str:
    """Redirects to ever new addresses."""
    for n in range(200):
        web.redirect(f"/{n}", f"/{n + 1}")
    return web.url("/0")


def _nested(web: Server) -> str:
    """A list of variants whose variant is itself, under ever new names."""
    for n in range(200):
        body = f"#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\n/{n + 1}.m3u8\n"
        web.put(f"/{n}.m3u8", body.encode(), Content_Type=HLS)
    return web.url("/0.m3u8")


def _frames(web: Server) -> str:
    for n in range(200):
        web.page(f"/{n}", f'<iframe src="/{n + 1}"></iframe><meta http-equiv="refresh" content="0;url=/{n + 1}">')
    return web.url("/0")


def _segments(web: Server, count: int, size: int) -> str:
    web.put("/s.ts", b"\x47" + bytes(size))
    body = HEAD + "#EXTINF:0.1,\n/s.ts\n" * count + TAIL
    return web.put("/list.m3u8", body.encode(), Content_Type=HLS)


def _feed(web: Server) -> str:
    items = "".join(f"<item><title>{n}</title><link>{web.url(f'/{n}')}</link></item>" for n in range(1500))
    return web.put("/feed", f'<?xml version="1.0"?><rss version="2.0"><channel>{items}</channel></rss>'.encode())


def _laughs(web: Server) -> str:
    entities = "".join(f'<!ENTITY a{n + 1} "{f"&a{n};" * 10}">' for n in range(12))
    text = f'<?xml version="1.0"?><!DOCTYPE rss [<!ENTITY a0 "ha">{entities}]><rss version="2.0">&a12;</rss>'
    return web.put("/laughs", text.encode())


def _page(web: Server, html: str) -> str:
    return web.page("/page", html)


def _packed(web: Server, head: bytes, size: int) -> str:
    body = gzip.compress(head + bytes(size), 9)
    return web.put("/packed", body, Content_Encoding="gzip", Content_Type="image/jpeg")


PAGE = b"<!doctype html><html>"
OK = b"HTTP/1.1 200 OK\r\n"
TABLE = {
    "file": Endless(lambda web: web.endless("/a.jpg", JPEG), ("too_large",)),
    "file in chunks": Endless(
        lambda web: _raw(
            web, OK, b"Transfer-Encoding: chunked\r\n\r\n", again=b"8000\r\n" + JPEG + bytes(0x7FFC) + b"\r\n"
        ),
        ("too_large",),
    ),
    "chunk without end": Endless(
        lambda web: _raw(
            web, OK, b"Transfer-Encoding: chunked\r\n\r\n", b"ffffffffff\r\n" + JPEG, again=bytes(65536)
        ),
        ("too_large",),
    ),
    "declared size": Endless(lambda web: web.claims("/a.jpg", JPEG + bytes(5000), 10**15), ("too_large",)),
    "packed file": Endless(lambda web: _packed(web, JPEG, 100_000_000), ("too_large",)),
    "packed page": Endless(lambda web: web.bomb("/page", 100_000_000), ("no_media",)),
    "page": Endless(lambda web: web.endless("/page", PAGE + b" " * 70_000), ("no_media", "too_large")),
    "a byte now and then": Endless(lambda web: web.slow("/a.jpg", JPEG), ("fetch_timeout",), SLOW),
    "a page, a byte now and then": Endless(lambda web: web.slow("/p", PAGE), ("fetch_timeout", "no_media"), SLOW),
    "silence": Endless(lambda web: _raw(web, pause=60.0), ("fetch_timeout",), SLOW),
    "headers": Endless(lambda web: _raw(web, OK, again=b"X: y\r\n"), ("http_failed",)),
    "one header": Endless(lambda web: _raw(web, OK, b"X: ", again=b"y" * 65536), ("http_failed",)),
    "headers, slowly": Endless(lambda web: _raw(web, OK, again=b"X: y\r\n", pause=0.3), ("fetch_timeout",), SLOW),
    "status line": Endless(lambda web: _raw(web, b"HTTP/1.1 200 ", again=b"O" * 65536), ("http_failed",)),
    "continue": Endless(
        lambda web: _raw(web, again=b"HTTP/1.1 100 Continue\r\n\r\n"), ("too_large", "fetch_timeout", "http_failed")
    ),
    "redirects in a circle": Endless(lambda web: web.redirect("/a", "/a"), ("http_failed",)),
    "redirects": Endless(_chain, ("http_failed",)),
    "variants of variants": Endless(_nested, ("fetch_failed", "no_media", "live_stream")),
    "frames in frames": Endless(_frames, ("fetch_failed", "no_media")),
    "segments": Endless(lambda web: _segments(web, 500, 10), ("fetch_failed",)),
    "large segments": Endless(lambda web: _segments(web, 25, 200_000), ("too_large",)),
    "hours of segments": Endless(
        lambda web: web.put(
            "/l.m3u8", (HEAD + "#EXTINF:99999,\n/s.ts\n" + TAIL).encode(), Content_Type=HLS
        ),
        ("too_long",),
    ),
    "a live playlist": Endless(
        lambda web: web.put("/l.m3u8", HEAD.replace("VOD", "EVENT").encode() + b"#EXTINF:2,\n/s.ts\n"),
        ("live_stream",),
    ),
    "a feed": Endless(_feed, ("no_media", "http_failed", "fetch_failed")),
    "entities": Endless(_laughs, ("no_media",)),
    "brackets": Endless(lambda web: _page(web, "<div " * 40_000), ("no_media", "fetch_timeout")),
    "deep JSON": Endless(
        lambda web: _page(web, f'<script type="application/ld+json">{"[" * 100_000}</script>'), ("no_media",)
    ),
    "many videos": Endless(
        lambda web: _page(web, "".join(f'<video src="/{n}.mp4"></video>' for n in range(5000))),
        ("no_media", "http_failed"),
    ),
    "a long title": Endless(
        lambda web: _page(web, f"<title>{'x' * 200_000}</title>{json.dumps({'a': 'b' * 10})}"), ("no_media",)
    ),
}  # fmt: skip
