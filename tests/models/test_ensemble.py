from __future__ import annotations

import dataclasses
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models import ensemble
from models.calibrate import Calibration, Platt

CALIBRATION = Calibration(
    id="test",
    dataset="made up",
    prior=0.5,
    likely_p=0.01,
    no_evidence_quantile=0.05,
    low_band=0.35,
    high_band=0.65,
    detectors={
        "a": Platt(1.2, -0.3, 1.0, 5.0, ((1.0, -0.5), (1.2, -0.3), (1.4, 0.1))),
        "b": Platt(0.7, 0.4, 0.5, 3.0, ((0.6, 0.3), (0.7, 0.4), (0.9, 0.6))),
        "mute": Platt(1.0, 0.0, 0.0, 3.0, ((1.0, 0.0),) * 3),
    },
    real=tuple(i / 10 - 8 for i in range(120)),
    fake={"face_swap": tuple(i / 10 - 4 for i in range(120))},
)
BOTH = dataclasses.replace(
    CALIBRATION,
    detectors={
        **CALIBRATION.detectors,
        "whole": Platt(1.1, 0.2, 0.9, 4.0, ((1.0, 0.1), (1.1, 0.2), (1.2, 0.3)), hypothesis="synthetic"),
    },
    fake={**CALIBRATION.fake, "synthetic": tuple(i / 10 - 2 for i in range(60))},
)
P = st.floats(0, 1)
MAYBE = st.none() | P


def combined(**scores: float | None) -> ensemble.Combined:
    result = ensemble.combine(scores, CALIBRATION)
    assert result is not None
    return result


@given(P, P, P)
def test_more_suspicion_never_lowers_the_probability(low: float, high: float, other: float) -> None:
    low, high = sorted((low, high))
    first, second = combined(a=low, b=other), combined(a=high, b=other)
    assert first.probability <= second.probability
    assert first.p_value >= second.p_value
    assert first.fake_quantile <= second.fake_quantile


@given(P, MAYBE, P, P, P)
def test_more_suspicion_of_either_kind_never_helps(
    a: float, b: float | None, whole: float, more: float, d: float
) -> None:
    """Neither the probability nor the two rules for a label."""
    first = ensemble.combine({"a": a, "b": b, "whole": whole}, BOTH)
    for raised in ({"a": max(a, more), "b": b, "whole": whole}, {"a": a, "b": b, "whole": max(whole, d)}):
        second = ensemble.combine(raised, BOTH)
        assert first is not None
        assert second is not None
        assert first.probability <= second.probability
        assert first.p_value >= second.p_value
        assert first.fake_quantile <= second.fake_quantile


@given(P, P, P)
def test_neither_hypothesis_votes_the_other_down(a: float, b: float, whole: float) -> None:
    swap, made = combined(a=a, b=b), ensemble.combine({"whole": whole}, BOTH)
    both = ensemble.combine({"whole": whole, "b": b, "a": a}, BOTH)
    assert made is not None
    assert both is not None
    assert both.probability == max(swap.probability, made.probability)
    assert both.hypothesis == max((swap, made), key=lambda one: one.ratio).hypothesis
    assert both.p_value == min(swap.p_value, made.p_value)
    assert both.fake_quantile == max(swap.fake_quantile, made.fake_quantile)
    assert both == ensemble.combine({"a": a, "b": b, "whole": whole}, BOTH), "the order does not matter"


@given(P)
def test_a_hypothesis_nobody_has_a_say_on_is_not_judged(a: float) -> None:
    assert ensemble.combine({"a": a, "whole": None}, BOTH) == combined(a=a)
    unearned = {**BOTH.detectors, "whole": dataclasses.replace(BOTH.detectors["whole"], weight=0.0)}
    without = dataclasses.replace(BOTH, detectors=unearned)
    assert ensemble.combine({"a": a, "whole": 0.999}, without) == combined(a=a)
    assert ensemble.combine({"whole": 0.999}, without) is None, "it may not flag alone"


@given(P, P)
def test_order_does_not_matter(a: float, b: float) -> None:
    assert ensemble.combine({"a": a, "b": b}, CALIBRATION) == ensemble.combine({"b": b, "a": a}, CALIBRATION)


@given(P)
def test_one_that_abstains_or_has_no_weight_moves_nothing(a: float) -> None:
    assert combined(a=a, b=None) == combined(a=a)
    assert combined(a=a, mute=0.999).probability == combined(a=a).probability


@given(P, P)
def test_numbers_are_numbers(a: float, b: float) -> None:
    result = combined(a=a, b=b)
    low, high = result.interval
    assert 0 <= low <= result.probability <= high <= 1
    assert 0 < result.p_value <= 1
    assert 0 <= result.fake_quantile <= 1
    assert abs(result.ratio) <= 8


@given(st.lists(P, min_size=1, max_size=12))
def test_the_media_is_its_highest_track(scores: list[float]) -> None:
    tracks = [ensemble.combine({"a": p}, CALIBRATION) for p in scores]
    top = ensemble.highest([None, *tracks])
    assert top is not None
    assert scores[top - 1] == max(scores) or tracks[top - 1] == ensemble.combine({"a": max(scores)}, CALIBRATION)


def test_nothing_judged() -> None:
    assert ensemble.combine({"a": None}, CALIBRATION) is None
    assert ensemble.combine({"unknown": 0.9}, CALIBRATION) is None
    assert ensemble.highest([]) is None
    assert ensemble.highest([None]) is None


def test_every_further_person_makes_the_p_value_weaker() -> None:
    one, three = (ensemble.combine({"a": 0.95}, CALIBRATION, tracks) for tracks in (1, 3))
    assert one is not None
    assert three is not None
    assert three.p_value == pytest.approx(3 * one.p_value)
    assert three.probability == one.probability


def test_the_prior_moves_the_odds_and_nothing_else() -> None:
    rare = dataclasses.replace(CALIBRATION, prior=0.1)
    a, b = (ensemble.combine({"a": 0.8}, calibration) for calibration in (CALIBRATION, rare))
    assert a is not None
    assert b is not None
    assert ensemble.logit(a.probability) - ensemble.logit(b.probability) == pytest.approx(math.log(9))
    assert a.p_value == b.p_value


def test_a_detector_is_capped() -> None:
    assert 2.5 < combined(b=1.0).ratio < 3.0
    assert -3.0 < combined(b=0.0).ratio < -2.5
    assert ensemble.ratio(1.0, Platt(50.0, 0.0, 1.0, 2.0)) == pytest.approx(2.0)


@given(P, P)
def test_contributions_and_the_prior_are_the_log_odds(a: float, b: float) -> None:
    """Caps are inside each contribution: nothing is cut from their sum."""
    rare = dataclasses.replace(CALIBRATION, prior=0.1)
    result = ensemble.combine({"a": a, "b": b, "mute": 0.9, "absent": None, "unknown": 1.0}, rare)
    assert result is not None
    adds = [ensemble.ratio(p, rare.detectors[name]) for name, p in (("a", a), ("b", b), ("mute", 0.9))]
    assert adds[2] == 0
    assert sum(adds) + ensemble.logit(0.1) == pytest.approx(ensemble.logit(result.probability), abs=1e-6)


@given(st.floats(-9, 9), st.integers(1, 4))
def test_the_scale_marks_where_the_rules_hold(ratio: float, tracks: int) -> None:
    scale = ensemble.scale(CALIBRATION, tracks, "face_swap")
    probability = ensemble.sigmoid(ratio)
    likely = CALIBRATION.p_value(ratio, tracks) <= CALIBRATION.likely_p
    assert likely == (scale.likely is not None and probability > scale.likely)
    clean = CALIBRATION.fake_quantile(ratio, "face_swap") < CALIBRATION.no_evidence_quantile
    assert clean == (probability <= scale.no_evidence)
    assert (scale.likely is None) == (tracks > 1), "120 genuine items give no smaller p than 1/121"


def test_bands_and_disagreement() -> None:
    bands = [ensemble.band(p, CALIBRATION) for p in (0.1, 0.5, 0.9)]
    assert bands == ["low", "uncertain", "high"]
    assert ensemble.disagree(bands)
    assert not ensemble.disagree(["high", "uncertain", "abstained", "failed"])
