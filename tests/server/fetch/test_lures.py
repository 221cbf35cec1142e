"""Every way in which a page, playlist or redirect names another address leads through the one gate.

Two servers listen: the allowed one on 127.0.0.1, and the one nobody may reach on 127.0.0.2, which keeps a log.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from xml.sax.saxutils import quoteattr

import pytest

from server.errors import AddressRefused, UnmaskError
from tests.server.fetch.conftest import Fetch
from tests.server.fetch.server import Server

HLS = "application/vnd.apple.mpegurl"


class Forbidden(ThreadingHTTPServer):
    """On 127.0.0.2; whoever is answered has leaked."""

    daemon_threads = True

    def __init__(self) -> None:
        self.reached: list[str] = []
        super().__init__(("127.0.0.2", 0), Reached)

    @property
    def address(self) -> str:
        return f"http://127.0.0.2:{self.server_port}/secret"


class Reached(BaseHTTPRequestHandler):
    server: Forbidden

    def do_GET(self) -> None:
        self.server.reached.append(self.path)
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"secret")

    do_HEAD = do_POST = do_GET

    def log_message(self, *args: object) -> None:
        """Quiet."""


@pytest.fixture
def forbidden() -> Iterator[Forbidden]:
    with Forbidden() as server:
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        yield server
        server.shutdown()


def playlist(*lines: str) -> bytes:
    head = ("#EXTM3U", "#EXT-X-VERSION:7", "#EXT-X-TARGETDURATION:2", "#EXT-X-PLAYLIST-TYPE:VOD")
    return "\n".join((*head, *lines, "#EXT-X-ENDLIST", "")).encode()


def mpd(base: str) -> bytes:
    return (
        '<?xml version="1.0"?><MPD xmlns="urn:mpeg:dash:schema:mpd:2011" type="static" '
        'mediaPresentationDuration="PT2S" profiles="urn:mpeg:dash:profile:isoff-on-demand:2011">'
        f'<BaseURL>{base}</BaseURL><Period><AdaptationSet mimeType="video/mp4"><Representation id="1" '
        'bandwidth="1000" width="320" height="180" codecs="avc1.42c00d"><BaseURL>video.mp4</BaseURL>'
        '<SegmentBase indexRange="0-10"/></Representation></AdaptationSet></Period></MPD>'
    ).encode()


def json_ld(address: str) -> str:
    video = {"@context": "https://schema.org", "@type": "VideoObject", "name": "x", "contentUrl": address}
    return f'<script type="application/ld+json">{json.dumps(video)}</script>'


def rss(address: str) -> bytes:
    link = quoteattr(address)
    return (
        '<?xml version="1.0"?><rss version="2.0"><channel><title>x</title><item><title>y</title>'
        f'<link>{address}</link><enclosure url={link} type="video/mp4" length="1"/></item></channel></rss>'
    ).encode()


PAGES: dict[str, Callable[[str], str]] = {
    "video": lambda a: f'<video src="{a}"></video>',
    "video source": lambda a: f'<video><source src="{a}" type="video/mp4"></video>',
    "video by playlist": lambda a: f'<video><source src="{a}" type="{HLS}"></video>',
    "og:video": lambda a: f'<meta property="og:video" content="{a}">',
    "og:video:secure_url": lambda a: f'<meta property="og:video:secure_url" content="{a}">',
    "og:image": lambda a: f'<meta property="og:image" content="{a}">',
    "twitter:player": lambda a: f'<meta name="twitter:player" content="{a}">',
    "json-ld": json_ld,
    "meta refresh": lambda a: f'<meta http-equiv="refresh" content="0;url={a}">',
    "iframe": lambda a: f'<iframe src="{a}"></iframe>',
    "embedded player": lambda a: f"<script>jwplayer('x').setup({{'file': '{a}'}})</script>",
    "flash variables": lambda a: f'<embed src="x.swf" flashvars="file={a}">',
    "video.js": lambda a: f'<video class="video-js" data-setup=\'{{"sources":[{{"src":"{a}"}}]}}\'></video>',
    "link to a file": lambda a: f'<a href="{a}.mp4">download</a>',
    "oembed": lambda a: f'<link rel="alternate" type="application/json+oembed" href="{a}">',
    "base": lambda a: f'<base href="{a}/"><video src="v.mp4"></video>',
}
FILES: dict[str, Callable[[str], bytes]] = {
    "variant": lambda a: f"#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1000,RESOLUTION=320x180\n{a}\n".encode(),
    "rendition": lambda a: (
        f'#EXTM3U\n#EXT-X-MEDIA:TYPE=VIDEO,GROUP-ID="v",NAME="x",DEFAULT=YES,URI="{a}"\n'
        f'#EXT-X-STREAM-INF:BANDWIDTH=1000,VIDEO="v"\n{a}\n'
    ).encode(),
    "segment": lambda a: playlist("#EXTINF:2,", a),
    "map": lambda a: playlist(f'#EXT-X-MAP:URI="{a}"', "#EXTINF:2,", "/clip.mp4"),
    "key": lambda a: playlist(f'#EXT-X-KEY:METHOD=AES-128,URI="{a}"', "#EXTINF:2,", "/clip.mp4"),
    "byte range": lambda a: playlist("#EXTINF:2,", "#EXT-X-BYTERANGE:10@0", a),
    "dash base": mpd,
    "rss": rss,
    "smil": lambda a: f'<smil><body><video src="{a}" width="1" height="1"/></body></smil>'.encode(),
    "xspf": lambda a: (
        '<?xml version="1.0"?><playlist version="1" xmlns="http://xspf.org/ns/0/"><trackList><track>'
        f"<title>x</title><location>{a}</location></track></trackList></playlist>"
    ).encode(),
    "ism": lambda a: f'<SmoothStreamingMedia Duration="1"><x url="{a}"/></SmoothStreamingMedia>'.encode(),
    "f4m": lambda a: f'<manifest xmlns="http://ns.adobe.com/f4m/1.0"><media url="{a}"/></manifest>'.encode(),
    "xml entity": lambda a: f'<!DOCTYPE rss [<!ENTITY x SYSTEM "{a}">]><rss version="2.0">&x;</rss>'.encode(),
}


def lured(fetch: Fetch, url: str) -> str:
    """The error's code, or `fetched` when the page had something harmless to offer."""
    try:
        fetch(url)
    except UnmaskError as error:
        return error.code
    return "fetched"


@pytest.mark.parametrize("lure", PAGES)
def test_pages(web: Server, fetch: Fetch, forbidden: Forbidden, lure: str) -> None:
    code = lured(fetch, web.page("/page", PAGES[lure](forbidden.address)))
    assert code in ("address_refused", "no_media", "http_failed")
    assert forbidden.reached == []


@pytest.mark.parametrize("lure", FILES)
def test_playlists_and_feeds(web: Server, fetch: Fetch, forbidden: Forbidden, clip: bytes, lure: str) -> None:
    web.put("/clip.mp4", clip)
    code = lured(fetch, web.put("/list", FILES[lure](forbidden.address), Content_Type=HLS if "m3u" in lure else ""))
    assert code in ("address_refused", "no_media", "fetch_failed")
    assert forbidden.reached == []


@pytest.mark.parametrize("lure", ["segment", "map", "key", "variant"])
def test_playlists_behind_a_page(web: Server, fetch: Fetch, forbidden: Forbidden, clip: bytes, lure: str) -> None:
    web.put("/clip.mp4", clip)
    url = web.put("/list.m3u8", FILES[lure](forbidden.address), Content_Type=HLS)
    assert lured(fetch, web.page("/p", f'<video><source src="{url}" type="{HLS}"></video>')) == "address_refused"
    assert forbidden.reached == []


@pytest.mark.parametrize("hops", [1, 3])
@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_redirects(web: Server, fetch: Fetch, forbidden: Forbidden, status: int, hops: int) -> None:
    for hop in range(hops):
        target = f"/hop{hop + 1}" if hop + 1 < hops else forbidden.address
        web.put(f"/hop{hop}", b"", status, Location=target)
    with pytest.raises(AddressRefused):
        fetch(web.url("/hop0"))
    assert forbidden.reached == []


def test_a_redirect_of_a_segment(web: Server, fetch: Fetch, forbidden: Forbidden) -> None:
    web.redirect("/segment.ts", forbidden.address)
    url = web.put("/list.m3u8", playlist("#EXTINF:2,", "/segment.ts"), Content_Type=HLS)
    assert lured(fetch, url) == "address_refused"
    assert forbidden.reached == []


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.2", "2130706434", "0x7f000002", "0x7f.2", "0177.0.0.2", "127.2", "127.0.2", "127.0.0.2.",
        "user:word@127.0.0.2", "127.0.0.1@127.0.0.2", "[::ffff:127.0.0.2]", "[::ffff:7f00:2]", "[::127.0.0.2]",
        "[64:ff9b::7f00:2]", "[2002:7f00:2::]", "①②⑦.0.0.2", "127。0。0。2", "１２７.0.0.2", "%31%32%37.0.0.2",
    ],
)  # fmt: skip
def test_however_the_host_is_spelt(web: Server, fetch: Fetch, forbidden: Forbidden, host: str) -> None:
    address = f"http://{host}:{forbidden.server_port}/secret"
    codes = {
        lured(fetch, address),
        lured(fetch, web.redirect("/r", address.encode().decode("latin-1"))),
        lured(fetch, web.page("/p", f'<video src="{address}"></video>')),
    }
    assert "fetched" not in codes
    assert forbidden.reached == []


@pytest.mark.parametrize("tail", ["\\@127.0.0.1/", "#@127.0.0.1/", "?@127.0.0.1/", "/..//127.0.0.1/", "%00.example/"])
def test_two_readers_see_one_host(web: Server, fetch: Fetch, forbidden: Forbidden, tail: str) -> None:
    address = f"http://127.0.0.2:{forbidden.server_port}{tail}"
    assert lured(fetch, address) != "fetched"
    assert lured(fetch, web.page("/p", f'<video src="{address}"></video>')) != "fetched"
    assert forbidden.reached == []


@pytest.mark.parametrize(
    "address",
    [
        "file:///etc/passwd", "ftp://127.0.0.2/x.mp4", "gopher://127.0.0.2/x", "dict://127.0.0.2:11/x",
        "data:video/mp4,x", "rtmp://127.0.0.2/x", "rtsp://127.0.0.2/x", "mms://127.0.0.2/x", "concat:/etc/passwd",
        "unix:/run/x", "jar:x!/y", "https+insecure://127.0.0.2/", "javascript:alert(1)", "//127.0.0.2/x.mp4",
    ],
)  # fmt: skip
def test_other_schemes(web: Server, fetch: Fetch, address: str) -> None:
    for url in (
        web.page("/p", f'<video src="{address}"></video>'),
        web.put("/l.m3u8", playlist("#EXTINF:2,", address), Content_Type=HLS),
        web.redirect("/r", address),
    ):
        assert lured(fetch, url) != "fetched"


@pytest.mark.parametrize("port", [22, 25, 3306, 5432, 6379, 9200, 11211])
def test_other_ports_of_public_servers(web: Server, fetch: Fetch, port: int) -> None:
    with pytest.raises(AddressRefused) as caught:
        fetch(web.redirect("/r", f"http://8.8.8.8:{port}/"))
    assert caught.value.details["reason"] == "port"


def test_a_file_that_names_others_is_not_followed(
    web: Server, fetch: Fetch, forbidden: Forbidden, tmp_path: Path, clip: bytes
) -> None:
    """What decoders would open for a file: a playlist by its name, references inside a QuickTime film."""
    reference = b"url \0\0\0\0" + forbidden.address.encode()
    film = clip.replace(b"url \0\0\0\1", reference[:8] + b"", 1)
    assert lured(fetch, web.put("/film.mov", film)) == "fetched"
    assert lured(fetch, web.put("/x.jpg", playlist("#EXTINF:2,", forbidden.address))) == "address_refused"
    assert forbidden.reached == []
