"""Clips to the faces of their most seen person, in order of time, found and followed as serving does it.

Each clip's faces are a file of their own, so that a cutting that was killed goes on where it was.
"""

from __future__ import annotations

import hashlib
import logging
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from models import align, bar, faces
from models.decode import DecodeLimits, decode, probe
from models.errors import DatasetError, MediaError
from models.summary import judgeable
from models.tracks import Tracker
from models.training.listing import Listing
from models.training.plan import cores
from models.training.shard import Item
from models.training.workers import in_processes
from models.types import FaceTrack

log = logging.getLogger(__name__)

LIMITS = DecodeLimits(max_pixels=40_000_000, max_seconds=3600)
FEWEST_FACES = 5


@dataclass(frozen=True)
class Cutting:
    """At most `frames` faces of a clip, cut as a detector with that margin and side sees them."""

    frames: int
    side: int = align.CROP_SIDE
    margin: float = align.WIDEST_MARGIN


@dataclass(frozen=True)
class Tracks:
    items: tuple[Item, ...]
    files: tuple[Path, ...]

    def faces(self, i: int) -> NDArray[np.uint8]:
        """(n, side, side, 3), RGB, mapped from its file."""
        mapped: NDArray[np.uint8] = np.load(self.files[i], mmap_mode="r")
        return mapped


def prepare(listed: Listing, cache: Path, cutting: Cutting, workers: int | None = None) -> Tracks:
    """Cut every clip once; those that show nobody for long enough, or cannot be read, are left out and counted."""
    folder = cache / f"clips-{_short(repr(cutting))}"
    folder.mkdir(parents=True, exist_ok=True)
    sources = [(listed.root / item.path).resolve() for item in listed.items]
    named = [(source, folder / f"{_short(str(source))}.npy") for source in sources]
    missing = [pair for pair in named if not pair[1].exists()]
    if missing:
        with bar.counting("Cutting videos", len(named), len(named) - len(missing)) as advance:
            for _ in in_processes(partial(_cut, cutting=cutting), missing, workers or cores()):
                advance()
    pairs = zip(listed.items, (file for _, file in named), strict=True)
    kept = [(item, file) for item, file in pairs if len(np.load(file, mmap_mode="r")) >= FEWEST_FACES]
    if lost := len(listed.items) - len(kept):
        log.warning("%d of %d clips show nobody for %d faces", lost, len(listed.items), FEWEST_FACES)
    if {item.fake for item, _ in kept} != {True, False}:
        raise DatasetError(f"{listed.root}: faces were found in the videos of one label only, or in none.")
    return Tracks(tuple(item for item, _ in kept), tuple(file for _, file in kept))


def _short(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def most_seen(path: Path, frames: int) -> FaceTrack | None:
    info = probe(path, LIMITS)
    tracker = Tracker()
    for frame in decode(path, LIMITS, frames):
        tracker.add(faces.find(frame, faces.MOST_IN_FRAME), frame.rgb)
    return max(judgeable(tracker.tracks(), info), key=lambda person: len(person.usable), default=None)


def _cut(pair: tuple[Path, Path], cutting: Cutting) -> None:
    source, target = pair
    try:
        person = most_seen(source, cutting.frames)
    except MediaError as error:
        log.warning("%s: %s", source.name, error)
        person = None
    seen = person.usable if person else ()
    cut = [align.narrowed(face.crop, cutting.margin, cutting.side) for face in seen]
    unfinished = target.with_suffix(".partial")
    with unfinished.open("wb") as file:
        np.save(file, np.stack(cut) if cut else np.zeros((0, cutting.side, cutting.side, 3), np.uint8))
    unfinished.replace(target)
