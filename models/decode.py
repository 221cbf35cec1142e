"""A file's bytes to RGB frames, bounded. What a file is, its content says, never its name."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from models.types import Frame, MediaInfo


@dataclass(frozen=True)
class DecodeLimits:
    max_pixels: int
    max_seconds: float
    max_side: int = 1920


def probe(path: Path, limits: DecodeLimits) -> MediaInfo:
    """What the file holds, read from its headers; raises a MediaError that says why it cannot be judged."""
    raise NotImplementedError


def decode(path: Path, limits: DecodeLimits, count: int) -> Iterator[Frame]:
    """At most `count` frames spread evenly over a video, one for a picture, as a stream in order of time."""
    raise NotImplementedError
