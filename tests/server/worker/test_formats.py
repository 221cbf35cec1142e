"""Every accepted format, from a server to frames, through the children that fetch and decode."""

from __future__ import annotations

import io
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import av
import pytest
from PIL import Image

from server.errors import UnsupportedMedia
from server.fetch.sources import Fetched
from server.sandbox.forkserver import ForkServer
from server.settings import Settings
from server.worker.media import MediaChild
from tests.clips import frame, portrait
from tests.server.fetch.server import Server

PICTURES = {
    "JPEG": "image/jpeg", "PNG": "image/png", "WEBP": "image/webp", "GIF": "image/gif", "AVIF": "image/avif",
    "BMP": "image/bmp", "TIFF": "image/tiff",
}  # fmt: skip
CLIPS = {  # container: codec, what it is recognised as
    "mp4": ("libx264", "video/mp4"),
    "mov": ("libx264", "video/quicktime"),
    "matroska": ("libx264", "video/x-matroska"),
    "webm": ("libvpx-vp9", "video/webm"),
    "avi": ("mpeg4", "video/x-msvideo"),
    "flv": ("flv", "video/x-flv"),
    "3gp": ("mpeg4", "video/3gpp"),
    "asf": ("wmv2", "video/x-ms-asf"),
    "mpegts": ("mpeg2video", "video/mp2t"),
}


@pytest.fixture
def web() -> Iterator[Server]:
    with Server() as server:
        yield server


@pytest.fixture
def child(tmp_path: Path, children: ForkServer) -> MediaChild:
    return MediaChild(Settings(data_dir=tmp_path / "data", fetch_allow="127.0.0.1/32"), children)


def clip(container: str, codec: str) -> bytes:
    out = io.BytesIO()
    with av.open(out, "w", format=container) as made:
        stream = made.add_stream(codec, rate=Fraction(10))
        stream.width, stream.height, stream.pix_fmt = 128, 96, "yuv420p"
        for number in range(20):
            picture = av.VideoFrame.from_ndarray(frame(128, 96, 0.01 * number), format="rgb24")
            made.mux(stream.encode(picture))
        made.mux(stream.encode())
    return out.getvalue()


@pytest.mark.parametrize("kind", PICTURES)
def test_pictures(web: Server, child: MediaChild, kind: str) -> None:
    out = io.BytesIO()
    Image.fromarray(portrait()).save(out, kind)
    with child:
        found = child.fetch(web.put("/picture", out.getvalue()))
        assert isinstance(found, Fetched)
        assert found.mime == PICTURES[kind]
        info, frames = child.decode(found.path, 60)[:2]
        assert (info.kind, info.width, info.height) == ("image", 512, 512)
        assert len(list(frames)) == 1


@pytest.mark.parametrize("kind", ["GIF", "WEBP", "PNG"])
def test_animations(web: Server, child: MediaChild, kind: str) -> None:
    out = io.BytesIO()
    pictures = [Image.fromarray(frame(128, 96, 0.1 * number)) for number in range(8)]
    pictures[0].save(out, kind, save_all=True, append_images=pictures[1:], duration=100)
    with child:
        found = child.fetch(web.put("/moving", out.getvalue()))
        assert isinstance(found, Fetched)
        info, frames = child.decode(found.path, 60)[:2]
        assert info.kind == "video"
        assert len(list(frames)) == 8


@pytest.mark.parametrize("container", CLIPS)
@pytest.mark.parametrize("way", ["directly", "by a page"])
def test_clips(web: Server, child: MediaChild, container: str, way: str) -> None:
    codec, mime = CLIPS[container]
    url = web.put("/clip", clip(container, codec), Content_Type=mime)
    if way == "by a page":
        url = web.page("/page", f'<video><source src="/clip" type="{mime}"></video>')
    with child:
        found = child.fetch(url)
        assert isinstance(found, Fetched)
        assert found.mime == mime
        info, frames = child.decode(found.path, 60)[:2]
        assert (info.kind, info.width, info.height) == ("video", 128, 96)
        assert info.duration == pytest.approx(2.0, abs=0.3)
        assert len(list(frames)) > 15


def test_a_kind_that_is_known_and_not_read(web: Server, child: MediaChild) -> None:
    """HEIC: the decoders that read it come under the GPL."""
    with child, pytest.raises(UnsupportedMedia, match="HEIC"):
        child.fetch(web.put("/a.heic", b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + bytes(500)))
