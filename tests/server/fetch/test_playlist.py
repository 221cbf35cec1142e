from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import pytest

from server.errors import LiveStream, TooLong
from server.fetch.playlist import KEPT_SECONDS, LEAST_SEGMENTS, followed
from server.fetch.sources import Fetched
from server.sandbox.forkserver import ForkServer
from server.settings import Settings
from server.worker.media import MediaChild
from tests.clips import make_clip
from tests.server.fetch import media
from tests.server.fetch.conftest import LOOPBACK
from tests.server.fetch.server import Server

HEAD = b"#EXTM3U\n#EXT-X-VERSION:3\n#EXT-X-TARGETDURATION:6\n#EXT-X-PLAYLIST-TYPE:VOD\n"


def recording(count: int, seconds: float = 6.0, extra: bytes = b"", end: bytes = b"#EXT-X-ENDLIST\n") -> bytes:
    return HEAD + extra + b"".join(b"#EXTINF:%g,\n/%d.ts\n" % (seconds, n) for n in range(count)) + end


def addresses(text: bytes) -> list[int]:
    return [int(line[1:-3]) for line in text.splitlines() if line.startswith(b"/")]


@pytest.mark.parametrize("text", [b"", b"<html>", b"\xff\xd8", b"#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\nv.m3u8\n"])
def test_what_is_no_recording_is_left_as_it_is(text: bytes) -> None:
    assert followed(text, 3600) == text


def test_a_short_recording_is_followed_whole() -> None:
    assert followed(recording(79), 3600) == recording(79)


def test_of_a_long_one_parts_that_are_evenly_spread() -> None:
    kept = addresses(followed(recording(600), 3600))
    assert len(kept) * 6.0 == KEPT_SECONDS
    assert {after - before for before, after in pairwise(kept)} == {15}
    assert kept[0] < 15
    assert kept[-1] > 585
    thinned = followed(recording(600), 3600)
    assert thinned.startswith(HEAD)
    assert thinned.endswith(b"#EXT-X-ENDLIST\n")
    assert thinned.count(b"#EXTINF:6,") == len(kept)


def test_never_too_few() -> None:
    assert len(addresses(followed(recording(50, 60.0), 3600))) == LEAST_SEGMENTS
    assert followed(recording(20, 60.0), 3600) == recording(20, 60.0)


@pytest.mark.parametrize(
    "tag",
    [
        b'#EXT-X-KEY:METHOD=AES-128,URI="k"\n',
        b'#EXT-X-MAP:URI="m"\n',
        b"#EXT-X-BYTERANGE:9@0\n",
        b"#EXT-X-DISCONTINUITY\n",
    ],
)
def test_segments_that_hang_together_stay_together(tag: bytes) -> None:
    assert followed(recording(600, extra=tag), 3600) == recording(600, extra=tag)


def test_live_and_endless_ones_are_refused_by_name() -> None:
    with pytest.raises(LiveStream):
        followed(recording(600, end=b""), 3600)
    with pytest.raises(LiveStream):
        followed(b"\xef\xbb\xbf" + recording(1, end=b""), 3600)
    with pytest.raises(LiveStream):
        followed(b'<?xml version="1.0"?><MPD xmlns="urn:mpeg:dash:schema:mpd:2011" type="dynamic">', 3600)
    with pytest.raises(TooLong):
        followed(recording(601), 3600)


def test_a_long_recording_is_fetched_in_part_and_seen_as_a_whole(
    web: Server, children: ForkServer, tmp_path: Path
) -> None:
    clip = make_clip(tmp_path / "clip.mp4", seconds=520, width=64, height=48, fps=2, gop=4)
    files = media.hls(tmp_path / "hls", clip.read_bytes(), "mpegts")
    for name, content in files.items():
        web.put(f"/hls/{name}", content)
    settings = Settings(data_dir=tmp_path / "data", fetch_allow=LOOPBACK)
    with MediaChild(settings, children) as child:
        found = child.fetch(web.url("/hls/list.m3u8"))
        assert isinstance(found, Fetched)
        info, frames = child.decode(found.path, 60)[:2]
        times = [frame.t for frame in frames]
    asked = sum(path.endswith(".ts") for path in web.paths())
    assert asked < 0.6 * (len(files) - 1)
    assert info.complete
    assert info.duration == pytest.approx(520, abs=10)
    assert len(times) > 40
    assert max(after - before for before, after in pairwise(times)) < 30
