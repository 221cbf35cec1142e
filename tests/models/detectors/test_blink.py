from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from models import faces, registry
from models.analyze import Analyzer
from models.decode import DecodeLimits, decode, probe, watch
from models.detectors import blink
from models.types import Abstained, Context, DetectorReport, Face, Frame, MediaInfo, Rgb, Score
from tests.models.media import eyes_shut, write_clip
from tests.models.test_blinks import Lids, lids

CLIP = MediaInfo("video", "video/mp4", 512, 512, 40.0, 1200)
BLINK = blink.load("blink", 1)


@pytest.fixture(scope="module")
def face(portrait: Rgb) -> Face:
    (found,) = faces.find(Frame(portrait, 0.0, 0))
    return found


def said(face: Face, seen: Lids, info: MediaInfo = CLIP) -> Score | Abstained:
    """As if the face had been found once a second."""
    seconds = sorted({int(t) for t, _ in seen})
    parts = (tuple(lid for lid in seen if int(lid[0]) == second) for second in seconds)
    return BLINK.score([replace(face, lids=part) for part in parts], Context(info, 60))


def test_usual_blinking_says_nothing(face: Face) -> None:
    score = said(face, lids(40, at=range(2, 38, 4)))
    assert isinstance(score, Score)
    assert score.p_fake == 0.5
    assert score.detail is not None
    assert len(score.detail["blinks"]) == 9
    assert score.detail["per_minute"] == pytest.approx(13.5, abs=0.2)
    assert "9 blinks in 40 s" in score.note


@pytest.mark.parametrize("rate", [15, 25, 30])
def test_rare_blinking_speaks_up_to_three_to_one(face: Face, rate: int) -> None:
    score = said(face, lids(60, rate=rate))
    assert isinstance(score, Score)
    assert score.p_fake == pytest.approx(0.75)
    assert score.detail is not None
    assert score.detail["p_value"] == pytest.approx(0.027, abs=0.001)
    assert "no blink in 60 s" in score.note


def test_what_is_drawn_stays_small_and_keeps_every_blink(face: Face) -> None:
    at = [1.5 + 3 * n for n in range(20)]
    score = said(face, lids(62, at=at))
    assert isinstance(score, Score)
    assert score.detail is not None
    assert len(json.dumps(score.detail)) < 12_000
    curve = score.detail["curve"]
    assert len(curve["t"]) == len(curve["ear"]) == len(curve["threshold"]) <= 450
    for start, end in score.detail["blinks"]:
        shown = [(e, limit) for t, e, limit in zip(*curve.values(), strict=True) if start - 0.01 <= t <= end]
        assert any(e < limit for e, limit in shown)


@pytest.mark.parametrize(
    ("seen", "info", "reason"),
    [
        (lids(40), MediaInfo("image", "image/png", 512, 512, 0.0, 1), "not_a_clip"),
        (lids(9), replace(CLIP, duration=9.0), "too_short"),
        (lids(9), CLIP, "eyes_seen_too_briefly"),
        ([], CLIP, "no_face"),
        (lids(40, rate=12), CLIP, "too_few_frames"),
        (lids(40, rate=5), CLIP, "eyes_seen_too_briefly"),
    ],
)
def test_it_abstains(face: Face, seen: Lids, info: MediaInfo, reason: str) -> None:
    assert said(face, seen, info) == Abstained(reason)


def test_it_abstains_where_lids_drown_in_noise(face: Face) -> None:
    every_third = [(t, ratio + (0.1 if n % 3 else -0.05)) for n, (t, ratio) in enumerate(lids(40))]
    noise = np.random.default_rng(2).normal(0, 0.06, 600)
    anyhow = [(t, ratio + float(n)) for (t, ratio), n in zip(lids(40), noise, strict=True)]
    for seen in (every_third, anyhow):
        assert said(face, seen) == Abstained("eyes_not_clear")


def report(analyzer: Analyzer, path: Path, limits: DecodeLimits) -> DetectorReport:
    assert analyzer.wants_glances()
    analysis = analyzer.analyze(watch(path, limits, 60), probe(path, limits))
    (found,) = analysis.detectors
    return found


@pytest.fixture(scope="module")
def alone() -> Iterator[Analyzer]:
    made = Analyzer(detectors=["blink"])
    yield made
    made.close()


def test_a_clip_of_somebody_who_blinks(
    alone: Analyzer, face: Face, portrait: Rgb, limits: DecodeLimits, tmp_path: Path
) -> None:
    at, shut = (2.0, 5.0, 9.0), eyes_shut(portrait, face.landmarks)
    pictures = (shut if any(t <= n / 15 < t + 0.2 for t in at) else portrait for n in range(15 * 12))
    found = report(alone, write_clip(tmp_path / "a.mp4", pictures, rate=15), limits)
    assert found.detail is not None
    assert [start for start, _ in found.detail["blinks"]] == pytest.approx(at, abs=0.07)
    assert found.detail["exposure_seconds"] == pytest.approx(12, abs=0.3)
    assert (found.weight, found.reason, found.contribution) == (0.0, "not_calibrated", 0.0)


def test_a_clip_of_somebody_who_does_not(alone: Analyzer, portrait: Rgb, limits: DecodeLimits, tmp_path: Path) -> None:
    path = write_clip(tmp_path / "a.mp4", (portrait for _ in range(15 * 11)), rate=15)
    found = report(alone, path, limits)
    assert found.detail is not None
    assert found.detail["blinks"] == []
    assert "no blink in 11 s" in str(found.evidence)
    unseen = alone.analyze(decode(path, limits, 60), probe(path, limits)).detectors[0]
    assert (unseen.band, unseen.reason, unseen.detail) == ("abstained", "eyes_seen_too_briefly", None)


def test_only_who_is_asked_looks_between_frames(analyzer: Analyzer) -> None:
    assert not analyzer.wants_glances()
    assert analyzer.wants_glances(["meso4", "blink"])
    assert registry.DETECTORS["blink"].weights == ""
