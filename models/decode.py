"""A file's bytes to RGB frames, bounded. What a file is, its content says, never its name.

`probe` reads headers only; `decode` streams frames, so that a consumer works while decoding goes on. Pictures are
read by Pillow (`pictures`), clips by PyAV (`clips`): cv2.imread took 5.2 GB for a PNG of 109 KB.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from models import clips, pictures
from models.errors import EmptyFile, TooManyPixels, UnsupportedMedia
from models.types import Frame, MediaInfo

_HEAD = 4096


@dataclass(frozen=True)
class DecodeLimits:
    """`max_pixels` of one frame, `max_seconds` of a clip; frames are scaled down to `max_side`."""

    max_pixels: int
    max_seconds: float
    max_side: int = 1920
    threads: int = 2


def probe(path: Path, limits: DecodeLimits) -> MediaInfo:
    """What the file holds, read from its headers; raises a MediaError that says why it cannot be judged."""
    head = _head(path)
    if pictures.recognises(head):
        info = pictures.probe(path, limits.max_pixels)
    else:
        info = clips.probe(path, _container(head), limits.max_seconds)
    if info.width * info.height > limits.max_pixels:
        raise TooManyPixels(
            f"{info.width} x {info.height} pixels are more than the {limits.max_pixels:,} that are looked at. "
            "Send a smaller version."
        )
    return info


def decode(path: Path, limits: DecodeLimits, count: int) -> Iterator[Frame]:
    """At most `count` frames spread evenly over a clip, one for a picture, as a stream in order of time."""
    info = probe(path, limits)
    head = _head(path)
    if pictures.recognises(head):
        return pictures.decode(path, info, limits.max_pixels, limits.max_side, count)
    return clips.decode(path, _container(head), limits, count)


def _head(path: Path) -> bytes:
    with path.open("rb") as file:
        head = file.read(_HEAD)
    if not head:
        raise EmptyFile("The file is empty. Send it again.")
    return head


def _container(head: bytes) -> str:
    container = clips.container_of(head)
    if container is None:
        raise UnsupportedMedia(
            "This is neither a picture nor a video that can be read. Send JPEG, PNG, WebP, GIF, AVIF, MP4, WebM or MOV."
        )
    return container
