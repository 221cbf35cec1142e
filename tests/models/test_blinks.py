from __future__ import annotations

import itertools
import math
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models import blinks
from models.blinks import watched

RATE = 15
Lids = list[tuple[float, float]]


def lids(seconds: float, at: Sequence[float] = (), lasting: float = 0.2, rate: float = RATE, start: float = 0) -> Lids:
    """Eyes open at .35 with a little noise, and shut at these times."""
    noise = np.random.default_rng(1).normal(0, 0.008, round(seconds * rate))
    times = [start + i / rate for i in range(len(noise))]
    shut = [any(blink <= t < blink + lasting for blink in at) for t in times]
    return [(t, (0.15 if down else 0.35) + float(n)) for t, down, n in zip(times, shut, noise, strict=True)]


@pytest.mark.parametrize(("seconds", "probability"), [(10, 0.21), (30, 0.05), (60, 0.014)])
def test_no_blink_at_all_is_as_rare_as_published(seconds: float, probability: float) -> None:
    assert blinks.no_more(0, seconds) == pytest.approx(probability, rel=0.03)


def test_usual_rates_are_usual_and_both_ends_are_not() -> None:
    assert blinks.p_value(15, 60) > 0.5
    assert blinks.p_value(0, 60) == pytest.approx(2 * 0.0136, rel=0.03)
    assert blinks.p_value(60, 60) < 0.001


@given(st.integers(0, 80), st.floats(10, 60))
def test_p_is_a_probability_and_its_ratio_stays_within_the_cap(count: int, seconds: float) -> None:
    p = blinks.p_value(count, seconds)
    assert 0 <= p <= 1
    assert 0 <= blinks.log_ratio(p) <= math.log(3)


@pytest.mark.parametrize("seconds", [10.0, 60.0])
def test_the_counts_probabilities_add_up_to_one(seconds: float) -> None:
    assert blinks.no_more(200, seconds) == pytest.approx(1, abs=1e-6)


@given(st.floats(0, 1), st.floats(0, 1))
def test_a_rarer_count_never_speaks_less(one: float, other: float) -> None:
    assert blinks.log_ratio(min(one, other)) >= blinks.log_ratio(max(one, other))


def test_the_longer_nobody_blinks_the_rarer() -> None:
    rarer = [blinks.p_value(0, seconds) for seconds in range(10, 61, 5)]
    assert all(a > b for a, b in itertools.pairwise(rarer))
    assert blinks.log_ratio(rarer[0]) == 0
    assert blinks.log_ratio(rarer[-1]) == math.log(3)


def test_blinks_are_counted_where_they_are() -> None:
    seen = watched(lids(30, at=(3, 9.5, 20)))
    assert [start for start, _ in seen.blinks] == pytest.approx([3, 9.5, 20], abs=1 / RATE)
    assert [end - start for start, end in seen.blinks] == pytest.approx([0.2] * 3, abs=1 / RATE)
    assert seen.exposure == pytest.approx(30, abs=0.1)
    assert seen.glances == pytest.approx(RATE)
    assert seen.per_minute == pytest.approx(6, rel=0.01)
    assert seen.clear


@settings(deadline=None)
@given(st.floats(0.3, 3), st.lists(st.floats(1, 28), max_size=8, unique=True))
def test_whose_eyes_are_narrow_blinks_as_often(factor: float, at: list[float]) -> None:
    curve = lids(30, at)
    narrow = watched([(t, ratio * factor) for t, ratio in curve])
    assert narrow.blinks == watched(curve).blinks


@given(st.floats(-1e4, 1e4))
def test_when_it_is_makes_no_difference(start: float) -> None:
    seen, usual = watched(lids(20, at=(start + 4.02, start + 9.02), start=start)), watched(lids(20, at=(4.02, 9.02)))
    assert len(seen.blinks) == len(usual.blinks) == 2
    assert seen.exposure == pytest.approx(usual.exposure)


def test_eyes_that_slowly_narrow_are_open() -> None:
    slow = [(t, ratio * (1 - 0.5 * t / 60)) for t, ratio in lids(60)]
    assert watched(slow).blinks == ()


def test_gaps_are_no_exposure_and_tear_blinks_apart() -> None:
    two = [*lids(10, at=(4, 9.9)), *lids(10, at=(30, 35), start=30)]
    seen = watched(two)
    assert seen.exposure == pytest.approx(20, abs=0.2)
    starts = [start for start, _ in seen.blinks]
    assert starts == pytest.approx([4, 9.9, 35], abs=1 / RATE), "the one that had begun when the eyes came into sight"


def test_eyes_that_stay_down_are_neither_a_blink_nor_exposure() -> None:
    seen = watched(lids(20, at=(5,), lasting=4))
    assert seen.blinks == ()
    assert seen.exposure == pytest.approx(16, abs=0.2)


def test_a_varying_frame_rate_is_measured_by_its_times() -> None:
    every = lids(30, at=(3, 9.5, 20), rate=120)
    kept = np.random.default_rng(4).integers(2, 11, 1000).cumsum()
    seen = watched([every[i] for i in kept if i < len(every)])
    assert [start for start, _ in seen.blinks] == pytest.approx([3, 9.5, 20], abs=0.09)
    assert seen.exposure == pytest.approx(30, abs=0.2)


def test_noise_as_large_as_blinks_is_not_clear() -> None:
    rng = np.random.default_rng(2)
    assert not watched([(t, ratio + float(rng.normal(0, 0.06))) for t, ratio in lids(30)]).clear


@pytest.mark.parametrize("few", [0, 1, 2])
def test_next_to_nothing_seen(few: int) -> None:
    seen = watched(lids(30)[:few])
    assert (seen.blinks, seen.clear or few == 2) == ((), few == 2)
    assert seen.exposure < 0.1
    assert seen.per_minute == 0
