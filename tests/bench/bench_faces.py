"""Finding faces: how fast on one core, and how many are missed, against CenterFace at 640 px on all the same frames."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from models import centerface, dlibfaces, faces, quality
from models.decode import DecodeLimits, decode
from models.tracks import overlap
from models.types import Box, Found, Rgb
from tests.bench.table import show
from tests.clips import make_clip
from tests.need import REPOSITORY

VIDEOS = REPOSITORY.parent / "shared" / "data" / "videos"
LIMITS = DecodeLimits(max_pixels=40_000_000, max_seconds=3600)
OF_EACH = 12  # frames
SAME_FACE = 0.4  # intersection over union

REFERENCE = "CenterFace 640"
FINDERS: dict[str, Callable[[Rgb], list[Found]]] = {
    REFERENCE: partial(centerface.find_at, side=centerface.SECOND_SIDE),
    "CenterFace 320, then 640": centerface.find,
    "HOG 640, then 1280": dlibfaces.hog,
}


@dataclass
class Count:
    seconds: float = 0.0
    found: int = 0
    with_face: int = 0
    missed: int = 0
    clips: set[str] = field(default_factory=set)

    def add(self, clip: str, found: list[Found], wanted: list[Box], seconds: float) -> None:
        self.seconds += seconds
        self.found += len(found)
        self.with_face += bool(found)
        if missed := sum(all(overlap(box, face.box) < SAME_FACE for face in found) for box in wanted):
            self.missed += missed
            self.clips.add(clip)


def main(folder: Path) -> None:
    faces.warm()
    made = make_clip(folder / "clip.mp4", seconds=10, width=1280, height=720)
    _measure("a clip of 10 s, 720p, made of a portrait that sways: every frame", _frames([made], 300))
    if clips := sorted(VIDEOS.rglob("*.mp4")):
        _measure(f"{len(clips)} clips of people: {OF_EACH} frames of each", _frames(clips, OF_EACH))


def _frames(clips: Iterable[Path], most: int) -> Iterator[tuple[str, Rgb]]:
    for clip in clips:
        for frame in decode(clip, LIMITS, most):
            yield clip.stem, frame.rgb


def _measure(title: str, frames: Iterable[tuple[str, Rgb]]) -> None:
    """Only faces that are large enough to be judged count as missed."""
    counts = {name: Count() for name in FINDERS}
    looked_at = large = 0
    for clip, rgb in frames:
        wanted: list[Box] = []
        for name, find in FINDERS.items():
            started = time.process_time()
            found = find(rgb)
            took = time.process_time() - started
            if name == REFERENCE:
                wanted = [face.box for face in found if max(face.box[2:]) >= quality.SMALLEST_SIDE]
            counts[name].add(clip, found, wanted, took)
        looked_at, large = looked_at + 1, large + len(wanted)
    print(title)
    show([row for name, count in counts.items() for row in _rows(name, count, looked_at, large)])


def _rows(name: str, count: Count, looked_at: int, large: int) -> list[tuple[str, str, str]]:
    missed = "" if name == REFERENCE else f"missed {count.missed} of {large} faces, in {len(count.clips)} clips"
    return [
        (
            f"{name}: frames a second of one core; faces",
            f"{looked_at / count.seconds:.0f}; {count.found / count.seconds:.0f}",
            "",
        ),
        ("  frames with a face", f"{count.with_face / looked_at:.1%}", missed),
    ]
