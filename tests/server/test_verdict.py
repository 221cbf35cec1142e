"""The rule that makes a label, at its edges and everywhere between them."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server import verdict
from server.verdict import Evidence, Thresholds

LIKELY_P, CLEAN = 0.02, 0.10
THRESHOLDS = Thresholds(likely_p=LIKELY_P, no_evidence_quantile=CLEAN)
BELOW, ABOVE = -math.inf, math.inf

shares = st.floats(0.0, 1.0)
evidence = st.builds(
    Evidence,
    probability=st.none() | shares,
    p_value=st.none() | shares,
    fake_quantile=st.none() | shares,
    acquisition=st.sampled_from(verdict.ACQUISITIONS),
    credentials=st.sampled_from(["unchecked", "absent", "valid_unknown_signer", "invalid", "remote_only"]),
    source_types=st.lists(st.sampled_from([*verdict.AI_SOURCES, "digitalCapture"])),
)


@pytest.mark.parametrize(
    ("p_value", "fake_quantile", "label"),
    [
        (0.0, 1.0, "manipulation_likely"),
        (LIKELY_P, CLEAN, "manipulation_likely"),  # p at its edge is likely; the quantile at its edge is not clean
        (math.nextafter(LIKELY_P, ABOVE), CLEAN, "inconclusive"),
        (1.0, 0.0, "no_evidence_found"),
        (math.nextafter(LIKELY_P, ABOVE), math.nextafter(CLEAN, BELOW), "no_evidence_found"),
        (LIKELY_P, math.nextafter(CLEAN, BELOW), "inconclusive"),  # both rules hold
        (0.0, 0.0, "inconclusive"),
        (1.0, 1.0, "inconclusive"),  # neither does
    ],
)
def test_label_by_thresholds(p_value: float, fake_quantile: float, label: str) -> None:
    assert verdict.label(Evidence(0.5, p_value, fake_quantile), THRESHOLDS) == label


@pytest.mark.parametrize("missing", ["probability", "p_value", "fake_quantile"])
def test_what_was_not_judged_is_not_assessable(missing: str) -> None:
    numbers: dict[str, Any] = {"probability": 0.9, "p_value": 0.0, "fake_quantile": 1.0, missing: None}
    assert verdict.label(Evidence(**numbers), THRESHOLDS) == "not_assessable"


def test_zero_is_a_number() -> None:
    assert verdict.label(Evidence(0.0, 0.9, 0.0), THRESHOLDS) == "no_evidence_found"


@pytest.mark.parametrize(
    ("acquisition", "label"),
    [
        ("download", "manipulation_likely"),
        ("upload", "manipulation_likely"),
        ("background", "manipulation_likely"),
        ("canvas", "inconclusive"),
        ("screenshot", "inconclusive"),
    ],
)
def test_pixels_read_back_through_a_browser_are_capped(acquisition: str, label: str) -> None:
    assert verdict.label(Evidence(0.99, 0.0, 1.0, acquisition), THRESHOLDS) == label
    assert verdict.label(Evidence(None, None, None, acquisition), THRESHOLDS) == "not_assessable"


@given(evidence)
def test_a_machine_label_is_one_of_four(found: Evidence) -> None:
    label = verdict.label(found, THRESHOLDS)
    assert label in verdict.MACHINE_LABELS
    assert label != "disclosed_synthetic", "only a trusted signer says so"
    assert (label == "not_assessable") == (None in (found.probability, found.p_value, found.fake_quantile))
    if found.acquisition in ("canvas", "screenshot"):
        assert label in ("inconclusive", "not_assessable")


@given(shares, shares, shares, shares)
def test_less_like_genuine_material_never_clears_it(p: float, q: float, lower_p: float, higher_q: float) -> None:
    lower_p, higher_q = min(p, lower_p), max(q, higher_q)
    before = verdict.label(Evidence(0.5, p, q), THRESHOLDS)
    after = verdict.label(Evidence(0.5, lower_p, higher_q), THRESHOLDS)
    order = {"no_evidence_found": 0, "inconclusive": 1, "manipulation_likely": 2}
    assert order[after] >= order[before]


@pytest.mark.parametrize("source", verdict.AI_SOURCES)
def test_a_trusted_signer_who_declares_ai_is_believed_whatever_the_pixels_say(source: str) -> None:
    for probability, p, quantile in ((0.5, LIKELY_P, 1.0), (0.1, 1.0, 0.0), (None, None, None)):
        for acquisition in verdict.ACQUISITIONS:
            found = Evidence(probability, p, quantile, acquisition, "trusted", ("digitalCapture", source))
            assert verdict.label(found, THRESHOLDS) == "disclosed_synthetic"


@given(evidence)
def test_nothing_else_of_where_it_comes_from_moves_a_label(found: Evidence) -> None:
    without = replace(found, credentials="absent", source_types=())
    camera = replace(found, credentials="trusted", source_types=("digitalCapture", "algorithmicMedia"))
    assert verdict.label(found, THRESHOLDS) == verdict.label(without, THRESHOLDS) == verdict.label(camera, THRESHOLDS)


def test_labels_name_each_word_once() -> None:
    assert set(verdict.LABELS) == set(verdict.MACHINE_LABELS) | set(verdict.HUMAN_LABELS)
    assert len(verdict.LABELS) == len(set(verdict.LABELS)) < 256, "the prefix list writes a label as one byte"


def test_no_state_is_both_active_and_final() -> None:
    assert not set(verdict.ACTIVE_STATES) & set(verdict.FINAL_STATES)


@pytest.mark.parametrize(
    ("acquisition", "complete", "given_reasons", "expected"),
    [
        ("download", True, [], []),
        ("download", True, ["blurred", "no_face"], ["blurred", "no_face"]),
        ("canvas", True, ["blurred"], ["blurred", "canvas_capture"]),
        ("screenshot", False, [], ["canvas_capture", "partial_coverage"]),
        ("upload", False, ["partial_coverage", "blurred"], ["partial_coverage", "blurred"]),
        ("upload", True, ["blurred", "blurred"], ["blurred"]),
    ],
)
def test_reasons(acquisition: str, complete: bool, given_reasons: list[str], expected: list[str]) -> None:
    found = Evidence(0.5, 0.5, 0.5, acquisition)
    assert verdict.reasons(found, given_reasons, complete=complete) == expected


@given(evidence, st.lists(st.sampled_from(verdict.REASONS)), st.booleans())
def test_reasons_are_known_and_said_once(found: Evidence, given_reasons: list[str], complete: bool) -> None:
    said = verdict.reasons(found, given_reasons, complete=complete)
    assert len(said) == len(set(said))
    assert set(given_reasons) <= set(said) <= set(verdict.REASONS)


def made(**other: Any) -> dict[str, Any]:
    values: dict[str, Any] = {
        "decided": "manipulation_likely",
        "media": {"sha256": "0" * 64, "kind": "image"},
        "kinds": ("face_swap",),
        "probability": 0.912345,
        "interval": (0.81999, 0.960051),
        "prior": 0.5,
        "calibration": "2026-11-20",
        "scale": {"likely": None, "no_evidence": 0.123456, "low": 0.35, "high": 0.65},
        "why": ("detectors_disagree",),
        "coverage": {"faces": 1},
        "detectors": [{"name": "meso4"}],
        "segments": [{"start": 0}],
        "pipeline": "p1",
        "provenance": {"c2pa": "absent"},
    }
    return verdict.body(**{**values, **other})


def test_body_rounds_to_four_places() -> None:
    body = made()
    assert (body["probability"], body["interval"]) == (0.9123, [0.82, 0.9601])
    assert json.loads(json.dumps(body)) == body, "what is stored is what is shown"


def test_body_keeps_what_was_not_judged_empty() -> None:
    body = made(decided="not_assessable", probability=None, interval=None)
    assert body["probability"] is None
    assert body["interval"] is None


def test_body_keeps_a_probability_of_zero() -> None:
    body = made(decided="no_evidence_found", probability=0.0, interval=(0.0, 0.0))
    assert (body["probability"], body["interval"]) == (0.0, [0.0, 0.0])


@pytest.mark.parametrize("label", ["inconclusive", "no_evidence_found", "not_assessable"])
def test_a_kind_is_only_named_where_something_was_found(label: str) -> None:
    assert made(decided=label)["kinds"] == []
    assert (made()["kinds"], made()["basis"]) == (["face_swap"], "ensemble")
    disclosed = made(decided="disclosed_synthetic")
    assert (disclosed["kinds"], disclosed["basis"]) == (["synthetic"], "provenance")


@given(shares)
def test_a_rounded_probability_stays_one(probability: float) -> None:
    body = made(probability=probability, interval=(probability, probability))
    assert abs(body["probability"] - probability) <= 0.00005 + 1e-12
    assert 0.0 <= body["probability"] <= 1.0


def test_body_does_not_share_what_it_was_given() -> None:
    media = {"kind": "image"}
    body = made(media=media)
    media["kind"] = "video"
    assert body["media"] == {"kind": "image"}
