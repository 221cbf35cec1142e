"""Whole files through the whole line: the crop, the tracks and the calibration are those of serving."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from models.analyze import DEFAULT_FRAMES, Analyzer
from models.decode import DecodeLimits, decode, probe
from models.evaluate.metrics import auc, bootstrap

HEADING, NEXT_HEADING = "## Whole clips", "## Calibration"
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


def add_to_card(card: Path, results: Sequence[FileResult], likely_p: float) -> None:
    """Write what whole files showed into a model card, in place of what stood there before."""
    judged = [result for result in results if result.probability is not None and result.p_value is not None]
    scores = np.array([result.probability for result in judged], np.float64)
    fake = np.array([result.fake for result in judged], np.bool_)
    likely = np.array([(result.p_value or 0) <= likely_p for result in judged], np.bool_)
    section = f"""{HEADING}

{len(results)} short clips (talking heads, live swaps, lip-sync) went through the whole line; training read none of
these files. {int((~fake).sum())} genuine and {int(fake.sum())} manipulated ones could be judged. AUC \
{bootstrap(auc, scores, fake, [result.path for result in judged])}. Flagged as likely manipulated: \
{int(likely[~fake].sum())} genuine, {int(likely[fake].sum())} manipulated; {(scores[~fake] > 0.5).mean():.0%} of the
genuine ones lie above .5.

"""
    text = card.read_text(encoding="utf-8")
    before, _, rest = text.partition(HEADING) if HEADING in text else text.partition(NEXT_HEADING)
    after = rest.partition(NEXT_HEADING)[2] if HEADING in text else rest
    card.write_text(before + section + NEXT_HEADING + after, encoding="utf-8")
