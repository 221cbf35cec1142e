from __future__ import annotations

from pathlib import Path

import pytest

from server.errors import AddressRefused, FetchError, FetchTimeout, LiveStream, NoMedia, TooLarge, TooLong
from server.fetch.download import knows
from server.fetch.sources import Fetched
from tests.server.fetch import media
from tests.server.fetch.conftest import Fetch
from tests.server.fetch.server import Server

HLS = "application/vnd.apple.mpegurl"


@pytest.fixture(params=["mpegts", "fmp4"])
def recording(request: pytest.FixtureRequest, web: Server, clip: bytes, tmp_path: Path) -> dict[str, bytes]:
    files = media.hls(tmp_path / "hls", clip, request.param)
    for name, content in files.items():
        web.put(f"/hls/{name}", content, Content_Type=HLS if name.endswith("m3u8") else "video/mp4")
    return files


@pytest.fixture
def playlist(web: Server, clip: bytes, tmp_path: Path) -> str:
    files = media.hls(tmp_path / "hls", clip, "mpegts")
    for name, content in files.items():
        web.put(f"/hls/{name}", content)
    return files["list.m3u8"].decode()


def test_a_page_with_a_video(web: Server, fetch: Fetch, clip: bytes) -> None:
    web.put("/v/1", clip, Content_Type="video/mp4")
    story = web.page("/story", '<title>A story</title><video src="/v/1"></video>')
    found = fetch(story, page_url="http://news.example/")
    assert isinstance(found, Fetched)
    assert found.path.read_bytes() == clip
    assert found.mime == "video/mp4"
    assert found.extractor != "direct"
    assert str(found.title).startswith("A story")
    assert found.final_url == web.url("/story")
    assert web.seen[0][1]["Referer"] == "http://news.example/"
    assert {headers["Referer"] for path, headers in web.seen if path == "/v/1"} <= {"http://news.example/", story}


def test_a_page_that_names_its_video_for_others(web: Server, fetch: Fetch, clip: bytes) -> None:
    url = web.put("/clip.mp4", clip, Content_Type="video/mp4")
    found = fetch(web.page("/og", f'<meta property="og:video" content="{url}"><meta property="og:title" content="t">'))
    assert isinstance(found, Fetched)
    assert found.size == len(clip)


def test_a_recording_in_segments(web: Server, fetch: Fetch, recording: dict[str, bytes]) -> None:
    found = fetch(web.url("/hls/list.m3u8"))
    assert isinstance(found, Fetched)
    assert found.mime in ("video/mp2t", "video/mp4")
    segments = [content for name, content in recording.items() if not name.endswith("m3u8")]
    assert found.size == sum(map(len, segments))


def test_a_recording_with_a_dash_manifest(web: Server, fetch: Fetch, clip: bytes, tmp_path: Path) -> None:
    for name, content in media.dash(tmp_path / "dash", clip).items():
        web.put(f"/dash/{name}", content, Content_Type="application/dash+xml" if name.endswith("mpd") else "video/mp4")
    found = fetch(web.url("/dash/list.mpd"))
    assert isinstance(found, Fetched)
    assert found.mime == "video/mp4"
    assert found.size > len(clip) / 2


def test_only_the_first_of_several(web: Server, fetch: Fetch, clip: bytes) -> None:
    web.put("/1.mp4", clip, Content_Type="video/mp4")
    web.put("/2.mp4", clip, Content_Type="video/mp4")
    fetch(web.page("/list", '<video src="/1.mp4"></video><video src="/2.mp4"></video>'))
    assert "/1.mp4" in web.paths()
    assert "/2.mp4" not in web.paths()


def test_a_live_stream_is_refused_by_name(web: Server, fetch: Fetch, playlist: str) -> None:
    live = playlist.replace("#EXT-X-ENDLIST", "").replace("#EXT-X-PLAYLIST-TYPE:VOD\n", "")
    url = web.put("/live.m3u8", live.encode(), Content_Type=HLS)
    with pytest.raises(LiveStream):
        fetch(url)
    with pytest.raises(LiveStream):
        fetch(web.page("/watch", f'<video><source src="{url}" type="{HLS}"></video>'))


def test_a_live_dash_manifest(web: Server, fetch: Fetch) -> None:
    manifest = '<?xml version="1.0"?><MPD xmlns="urn:mpeg:dash:schema:mpd:2011" type="dynamic"><Period></Period></MPD>'
    with pytest.raises(LiveStream):
        fetch(web.put("/live.mpd", manifest.encode(), Content_Type="application/dash+xml"))


def test_a_recording_that_is_too_long(web: Server, fetch: Fetch, playlist: str) -> None:
    longer = playlist.replace("#EXT-X-ENDLIST", "#EXTINF:4000.0,\nmore.ts\n#EXT-X-ENDLIST")
    with pytest.raises(TooLong) as caught:
        fetch(web.put("/hls/long.m3u8", longer.encode(), Content_Type=HLS))
    assert caught.value.details == {"limit_seconds": 3600}


def test_an_endless_segment(web: Server, fetch: Fetch, playlist: str) -> None:
    web.endless("/hls/list0.ts", b"\x47")
    url = web.put("/hls/list.m3u8", playlist.encode(), Content_Type=HLS)
    with pytest.raises(TooLarge):
        fetch(url, MAX_UPLOAD_BYTES=1_000_000, FETCH_PAGE_BYTES=64 * 1024)


def test_a_segment_that_never_gets_done(web: Server, fetch: Fetch, playlist: str) -> None:
    web.slow("/hls/list0.ts", b"\x47")
    url = web.put("/hls/list.m3u8", playlist.encode(), Content_Type=HLS)
    with pytest.raises(FetchTimeout):
        fetch(url, FETCH_SECONDS=3)


def test_segments_in_a_private_network(web: Server, fetch: Fetch, playlist: str) -> None:
    lure = playlist.replace("list0.ts", "http://169.254.169.254/list0.ts")
    with pytest.raises(AddressRefused) as caught:
        fetch(web.put("/hls/lure.m3u8", lure.encode(), Content_Type=HLS))
    assert caught.value.details["reason"] == "metadata"


def test_a_video_in_a_private_network(web: Server, fetch: Fetch) -> None:
    with pytest.raises(AddressRefused) as caught:
        fetch(web.page("/lure", f'<video src="{web.url("/clip.mp4", "127.0.0.2")}"></video>'))
    assert caught.value.details["reason"] == "loopback"


def test_a_video_that_is_no_web_address(web: Server, fetch: Fetch) -> None:
    with pytest.raises(FetchError):
        fetch(web.page("/lure", '<video src="file:///etc/passwd"></video>'))


@pytest.mark.parametrize("html", ["nothing to see", '<video src="/gone.mp3"></video>'])
def test_a_page_without_media(web: Server, fetch: Fetch, html: str) -> None:
    web.put("/gone.mp3", b"ID3\x03" + bytes(5000), Content_Type="audio/mpeg")
    with pytest.raises(NoMedia):
        fetch(web.page("/page", html))


def test_a_page_that_unpacks_to_gigabytes(web: Server, fetch: Fetch) -> None:
    with pytest.raises(NoMedia) as caught:
        fetch(web.bomb("/bomb", 200 * 1024 * 1024))
    assert caught.value.details == {"limit_bytes": 8 * 1024 * 1024}


def test_a_page_that_needs_too_many_requests(web: Server, fetch: Fetch, playlist: str) -> None:
    many = playlist.replace("#EXT-X-ENDLIST", "#EXTINF:0.1,\nlist0.ts\n" * 50 + "#EXT-X-ENDLIST")
    with pytest.raises(FetchError, match="too many requests"):
        fetch(web.put("/hls/many.m3u8", many.encode(), Content_Type=HLS), FETCH_REQUESTS=20)


@pytest.mark.parametrize(
    ("url", "known"),
    [
        ("https://www.reddit.com/r/videos/comments/6rrwyj/title/", True),
        ("https://www.dailymotion.com/video/x5kesuj", True),
        ("https://example.com/story", False),
    ],
)
def test_sites_with_an_extractor_of_their_own(url: str, known: bool) -> None:
    assert knows(url) is known
