"""A file's bytes to RGB frames, bounded. What a file is, its content says, never its name.

`decode` streams frames, so that a consumer works while decoding goes on. Pictures are read by Pillow (`pictures`),
clips by PyAV (`clips`): cv2.imread took 5.2 GB for a PNG of 109 KB.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from models import clips, pictures
from models.bounds import DecodeLimits
from models.errors import EmptyFile, UnsupportedMedia
from models.types import Frame, Glance, MediaInfo

__all__ = ["DecodeLimits", "decode", "probe", "watch"]

_HEAD = 4096


def probe(path: Path, limits: DecodeLimits) -> MediaInfo:
    """What the file holds; raises a MediaError that says why it cannot be judged. Decodes one frame at most."""
    head = _head(path)
    if pictures.recognises(head):
        return pictures.probe(path, limits)
    return clips.probe(path, _container(head), limits)


def decode(path: Path, limits: DecodeLimits, count: int) -> Iterator[Frame]:
    """At most `count` frames spread evenly over a clip, one for a picture, as a stream in order of time."""
    head = _head(path)
    if pictures.recognises(head):
        return pictures.decode(path, limits, count)
    return clips.decode(path, _container(head), limits, count)


def watch(path: Path, limits: DecodeLimits, count: int) -> Iterator[Frame | Glance]:
    """The frames of `decode`, each followed by glances if this is a clip long enough to count blinks."""
    head = _head(path)
    if pictures.recognises(head):
        return pictures.decode(path, limits, count)
    return clips.watch(path, _container(head), limits, count)


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
