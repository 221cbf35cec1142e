"""What is said of a verdict, by the page's own script and, in the same words, by reports."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import Page

from server import verdict, words
from tests.server.web.conftest import MEASURED

pytestmark = pytest.mark.browser


def shown(label: str = "manipulation_likely", kind: str = "video", **coverage: Any) -> dict[str, Any]:
    judged = label != "not_assessable"
    return {
        "label": label,
        "basis": "human" if label in verdict.HUMAN_LABELS else "ensemble",
        "probability": 0.91 if judged else None,
        "interval": [0.82, 0.96] if judged else None,
        "prior": 0.5,
        "reasons": [],
        "detectors": [
            {"name": "meso4", "score": 0.22},
            {"name": "mute", "score": None},
            {"name": "blend", "score": 0.934},
        ],
        "segments": [],
        "media": {"kind": kind, "width": 640, "height": 480, "duration": 28.66},
        "coverage": {"faces": 58, "tracks": 1, "frames": 60, "of_frames": 860, "seconds": 28.66, **coverage},
    }


LIKELY = "Of material that scores like this, 91 in 100 was manipulated (82-96), where half the material is."
CASES = [
    (shown(), f"{LIKELY} Seen: 58 faces of one person in 60 of 860 frames, 28.7 s."),
    (shown(faces=1), f"{LIKELY} Seen: 1 face of one person in 60 of 860 frames, 28.7 s."),
    (shown(faces=2, tracks=2), f"{LIKELY} Seen: 2 faces of two people in 60 of 860 frames, 28.7 s."),
    (
        shown("no_evidence_found", "image", faces=1),
        "Looks like untouched material this check knows. Seen: 1 face of one person in a picture of 640 × 480 pixels.",
    ),
    (shown("inconclusive", faces=0, tracks=0), "Not enough to say."),
    (shown("not_assessable", faces=0, tracks=0), "Not enough to say."),
    (shown("confirmed_authentic", faces=0), "A reviewer has looked at it."),
]


def test_sentences(signed_in: Page) -> None:
    say = "async (all) => { const { sentence } = await import('/static/words.js'); return all.map(sentence); }"
    assert signed_in.evaluate(say, [given for given, _ in CASES]) == [said for _, said in CASES]
    assert [words.sentence(given) for given, _ in CASES] == [said for _, said in CASES]


def test_ticks_are_explained_the_same_in_pages_and_reports(signed_in: Page) -> None:
    marks = {"likely": 0.873, "no_evidence": 0.12, "low": 0.35, "high": 0.65}
    told = [
        shown(),
        {**shown(), "scale": None},
        {**shown(), "scale": marks},
        {**shown(), "scale": {**marks, "likely": None}},
    ]
    say = "async (all) => { const { scaleWords } = await import('/static/words.js'); return all.map(scaleWords); }"
    assert signed_in.evaluate(say, told) == [words.scale(given) for given in told]


def test_error_rates_are_the_same_in_pages_and_reports(signed_in: Page) -> None:
    both = {**MEASURED, "manipulated": MEASURED["manipulated"] * 2}  # type: ignore[operator]
    say = "async (all) => { const { rates } = await import('/static/words.js'); return all.map(rates); }"
    assert signed_in.evaluate(say, [MEASURED, both]) == [words.rates(MEASURED), words.rates(both)]


def test_origin_and_likeness_are_told_the_same_in_pages_and_reports(signed_in: Page) -> None:
    signed = {"signer": "A", "generator": "P", "source_types": ["trainedAlgorithmicMedia", "new"], "declares_ai": True}
    marks = [{"where": "EXIF", "says": "Midjourney"}, {"where": "XMP", "says": "digitalCapture"}]
    found = [{"c2pa": state, **more} for state in words.CREDENTIALS for more in (signed, {"marks": marks}, {})]
    found += [{"c2pa": "trusted", **signed, "declares_ai": False}]
    like = {"checked_at": "2026-11-20T10:00:00.000Z", "label": "disclosed_synthetic"}
    told = [{**shown(), "provenance": one} for one in (None, {"c2pa": "new_word"}, *found)]
    told += [{**shown(kind=kind), "match": match} for kind in ("image", "video") for match in (like, None)]
    say = """async (all) => {
        const { match, origin } = await import('/static/words.js');
        return all.map((one) => [...origin(one), match(one)]);
    }"""
    assert signed_in.evaluate(say, told) == [[*words.origin(given), words.match(given)] for given in told]


def test_reasons_and_times_are_the_same_in_pages_and_reports(signed_in: Page) -> None:
    told = [
        {**shown(), "reasons": [name], "segments": [1] * n} for name in (*verdict.REASONS, "new_one") for n in (0, 1)
    ]
    told += [{**shown(seconds=10.0), "reasons": ["partial_coverage"]}, {**shown(), "reasons": list(verdict.REASONS)}]
    say = "async (all) => { const { reasons } = await import('/static/words.js'); return all.map(reasons); }"
    assert signed_in.evaluate(say, told) == [words.reasons(given) for given in told]
    times = [0.0, 0.04, 9.96, 59.9, 60.0, 61.5, 119.7, 3599.6, 7200.0]
    say = "async (all) => { const { duration } = await import('/static/words.js'); return all.map(duration); }"
    assert signed_in.evaluate(say, times) == [words.duration(time) for time in times]
    assert words.duration(119.7) == "2 min 0 s"
