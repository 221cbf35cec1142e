"""Blinks a minute, and how usual they are, clip by clip; and the seconds it takes to see them.

python -m models.evaluate.blinks faces/    the clips below faces/videos that last long enough
"""

from __future__ import annotations

import csv
import sys
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from models.analyze import DEFAULT_FRAMES, Analyzer
from models.decode import decode, probe, watch
from models.evaluate.judges import LIMITS
from models.timeline import FEWEST_SECONDS
from models.types import Analysis, DetectorReport, Frame, Glance, MediaInfo

UNUSUAL = 0.05


@dataclass(frozen=True)
class Counted:
    path: str
    fake: bool
    duration: float
    said: DetectorReport
    took: float  # processor seconds of the whole clip, all threads together
    without: float  # of the same clip without glances


def lines(data: Path, folder: str = "videos") -> Iterator[str]:
    """Of clips long enough; the shorter ones are not opened further."""
    counted = []
    for clip in judge(data, folder):
        counted.append(clip)
        cost = f"{clip.took:.1f} s, {clip.without:.1f} without"
        yield f"{clip.path:<44}{clip.duration:5.1f} s  {_words(clip.said):<64}{cost}"
    for fake, label in ((False, "genuine"), (True, "manipulated")):
        some = [clip.said.detail for clip in counted if clip.fake == fake and clip.said.detail]
        of = sum(clip.fake == fake for clip in counted)
        rates = ", ".join(f"{found['per_minute']}" for found in some)
        unusual = sum(found["p_value"] <= UNUSUAL for found in some)
        yield f"{label}: {len(some)} of {of} counted; a minute: {rates}; p <= {UNUSUAL}: {unusual}"


def judge(data: Path, folder: str) -> Iterator[Counted]:
    with (data / "index.csv").open(newline="", encoding="utf-8") as file:
        rows = [row for row in csv.DictReader(file) if row["path"].startswith(f"{folder}/")]
    analyzer = Analyzer(detectors=["blink"])
    analyzer.warm()
    for row in rows:
        path = data / row["path"]
        info = probe(path, LIMITS)
        if info.duration < FEWEST_SECONDS:
            continue
        seen, took = _timed(analyzer, watch(path, LIMITS, DEFAULT_FRAMES), info)
        _, without = _timed(analyzer, decode(path, LIMITS, DEFAULT_FRAMES), info)
        yield Counted(row["path"], row["label"] == "fake", info.duration, seen.detectors[0], took, without)


def _timed(analyzer: Analyzer, frames: Iterable[Frame | Glance], info: MediaInfo) -> tuple[Analysis, float]:
    begun = time.process_time()
    return analyzer.analyze(frames, info), time.process_time() - begun


def _words(said: DetectorReport) -> str:
    found = said.detail
    if found is None:
        return f"abstained: {said.reason}"
    count, seconds, p = len(found["blinks"]), found["exposure_seconds"], found["p_value"]
    return f"{count} blinks in {seconds} s, {found['per_minute']} a minute, p {p:.3f}"


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    for line in lines(Path(sys.argv[1])):
        sys.stdout.write(f"{line}\n")
