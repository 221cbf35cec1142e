"""Pictures, clips and playlists for the fetching tests."""

from __future__ import annotations

import io
from pathlib import Path

import av
from PIL import Image

from tests.clips import make_clip, portrait


def jpeg(quality: int = 85) -> bytes:
    out = io.BytesIO()
    Image.fromarray(portrait()).save(out, "JPEG", quality=quality)
    return out.getvalue()


def clip(folder: Path) -> bytes:
    return make_clip(folder / "clip.mp4", seconds=2, width=320, height=180).read_bytes()


def dash(folder: Path, clip_bytes: bytes) -> dict[str, bytes]:
    """The same as DASH, the manifest being list.mpd."""
    return _muxed(folder, clip_bytes, "list.mpd", "dash", {"seg_duration": "1"})


def hls(folder: Path, clip_bytes: bytes, kind: str) -> dict[str, bytes]:
    """A recording as HLS, `kind` "mpegts" or "fmp4": file name -> content, the playlist being list.m3u8."""
    choices = {"hls_time": "1", "hls_playlist_type": "vod", "hls_segment_type": kind}
    return _muxed(folder, clip_bytes, "list.m3u8", "hls", choices)


def _muxed(folder: Path, clip_bytes: bytes, name: str, kind: str, choices: dict[str, str]) -> dict[str, bytes]:
    folder.mkdir()
    with (
        av.open(io.BytesIO(clip_bytes), "r") as source,
        av.open(str(folder / name), "w", format=kind, options=choices) as target,
    ):
        stream = target.add_stream_from_template(source.streams.video[0])
        for packet in source.demux(video=0):
            if packet.dts is not None:
                packet.stream = stream
                target.mux(packet)
    return {path.name: path.read_bytes() for path in folder.iterdir()}
