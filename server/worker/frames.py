"""A file of any accepted kind to its description and frames: what models.decode reads, and intake's zip of pictures."""

from __future__ import annotations

import json
import shutil
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np

from models import provenance
from models.decode import DecodeLimits, decode, probe, watch
from models.errors import CorruptMedia
from models.types import Frame, Glance, MediaInfo, MediaKind
from server.intake import FRAMES_MIME, TIMES_NAME
from server.sandbox.wire import Header

_ZIP = b"PK\x03\x04"


def open_media(
    path: Path, limits: DecodeLimits, count: int, folder: Path, glances: bool = False, anchors: str | None = None
) -> tuple[MediaInfo, Iterator[Frame | Glance]]:
    """`folder` takes the one picture that is being read; nothing is decoded before the first frame is asked for.

    `anchors`: certificates of those whose statements of origin are trusted.
    """
    with path.open("rb") as file:
        if file.read(len(_ZIP)) != _ZIP:
            info = probe(path, limits)
            info = replace(info, provenance=provenance.read(path, info, anchors))
            return info, (watch if glances else decode)(path, limits, count)
    times = _times(path)
    return _describe(path, times, limits, folder), _pictures(path, times, limits, count, folder)


def message(picture: Frame | Glance) -> tuple[Header, memoryview]:
    """A frame or glance as it crosses the pipe."""
    head: Header = {"t": picture.t, "missing": picture.missing}
    if isinstance(picture, Frame):
        pixels = np.ascontiguousarray(picture.rgb)
        head |= {"type": "frame", "index": picture.index, "quantiser": picture.quantiser}
        head["pdq"] = None if picture.pdq is None else [picture.pdq.bits.hex(), picture.pdq.quality]
    else:
        pixels = np.ascontiguousarray(picture.grey)
        head |= {"type": "glance"}
    return {**head, "shape": pixels.shape}, pixels.data.cast("B")


def _times(path: Path) -> list[float]:
    try:
        with zipfile.ZipFile(path) as archive:
            times = [float(t) for t in json.loads(archive.read(TIMES_NAME))]
            if not times or len(times) != len(archive.namelist()) - 1:
                raise CorruptMedia("The frames and their times do not match. Send them again.")
    except (zipfile.BadZipFile, KeyError, TypeError, ValueError):
        raise CorruptMedia("The stored frames cannot be read. Send them again.") from None
    return times


def _describe(path: Path, times: list[float], limits: DecodeLimits, folder: Path) -> MediaInfo:
    first = probe(_extract(path, 0, folder), limits)
    kind: MediaKind = "video" if len(times) > 1 else "image"
    return MediaInfo(kind, FRAMES_MIME, first.width, first.height, times[-1], len(times))


def _pictures(path: Path, times: list[float], limits: DecodeLimits, count: int, folder: Path) -> Iterator[Frame]:
    if len(times) > 1:  # frames of a video are not larger because they came as pictures
        limits = replace(limits, max_still_side=limits.max_side)
    for index in _spread(len(times), count):
        for frame in decode(_extract(path, index, folder), limits, 1):
            yield Frame(frame.rgb, times[index], index)


def _extract(path: Path, index: int, folder: Path) -> Path:
    """Copied out to a name of our own, so that every picture passes the same gate as a picture sent alone."""
    target = folder / "frame"
    with zipfile.ZipFile(path) as archive:
        name = next(name for name in archive.namelist() if name.startswith(f"{index:04d}."))
        with archive.open(name) as source, target.open("wb") as out:
            shutil.copyfileobj(source, out)
    return target


def _spread(frames: int, count: int) -> list[int]:
    if count >= frames:
        return list(range(frames))
    return [index * (frames - 1) // max(1, count - 1) for index in range(count)]
