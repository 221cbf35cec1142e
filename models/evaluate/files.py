"""Whole files through the whole line: the crop, the tracks and the calibration are those of serving."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from models.analyze import DEFAULT_FRAMES, Analyzer
from models.decode import DecodeLimits, decode, probe

LIMITS = DecodeLimits(max_pixels=40_000_000, max_seconds=3600)


@dataclass(frozen=True)
class FileResult:
    path: str
    fake: bool
    probability: float | None
    p_value: float | None


def judge(data: Path, folder: str, analyzer: Analyzer) -> Iterator[FileResult]:
    """Every file of `index.csv` below `folder`."""
    with (data / "index.csv").open(newline="", encoding="utf-8") as file:
        rows = [row for row in csv.DictReader(file) if row["path"].startswith(f"{folder}/")]
    for row in rows:
        path = data / row["path"]
        frames = decode(path, LIMITS, DEFAULT_FRAMES)
        result = analyzer.analyze(frames, probe(path, LIMITS))
        yield FileResult(row["path"], row["label"] == "fake", result.probability, result.p_value)
