from __future__ import annotations

import itertools
from fractions import Fraction

import pytest

from models.timeline import MOST_GLANCES, Timeline, glances, may_skip, samples


def steady(seconds: float, rate: int = 30, every: int = 250) -> Timeline:
    times = tuple(range(0, round(seconds * rate)))
    return Timeline(times, times[::every], Fraction(1, rate))


def test_short_clips_get_no_glance() -> None:
    assert glances(steady(9.9), samples(steady(9.9), 60)) == []
    assert glances(steady(10), samples(steady(10), 60)) != []


@pytest.mark.parametrize("count", [10, 60, 100])
@pytest.mark.parametrize("rate", [15, 24, 25, 30, 60])
def test_half_a_minute_is_glanced_at_from_the_first_sample_on(rate: int, count: int) -> None:
    timeline = steady(30, rate)
    sampled = samples(timeline, count)
    chosen = glances(timeline, sampled)
    seconds = (timeline.times[-1] - sampled[0]) / rate
    assert len(chosen) / seconds == pytest.approx(15, rel=0.02)
    assert max(b - a for a, b in itertools.pairwise(chosen)) / rate < 0.1
    assert chosen[0] >= sampled[0], "before it no face is known"


@pytest.mark.parametrize("count", [10, 60, 100])
def test_an_hour_is_glanced_at_for_a_minute_in_all(count: int) -> None:
    timeline = steady(3600)
    chosen = glances(timeline, samples(timeline, count))
    assert len(chosen) <= MOST_GLANCES
    assert len(chosen) > 0.9 * 60 * 15


def test_of_a_slow_clip_every_frame_is_taken_once() -> None:
    timeline = steady(20, rate=8)
    sampled = samples(timeline, 60)
    assert glances(timeline, sampled) == [time for time in timeline.times if time >= sampled[0]]


def test_a_pause_in_a_varying_rate_is_not_filled() -> None:
    times = (*range(0, 10_000, 33), *range(60_000, 70_000, 33))
    timeline = Timeline(times, (0,), Fraction(1, 1000))
    chosen = glances(timeline, samples(timeline, 60))
    assert set(chosen) <= set(times)
    assert len(chosen) == len(set(chosen))


def test_frames_are_left_out_only_where_enough_remain() -> None:
    """Glances need 15 frames a second, however far the samples lie apart."""
    usual, fast = steady(60, 30), steady(60, 60)
    assert may_skip(usual, samples(usual, 60), glancing=False)
    assert not may_skip(usual, glances(usual, samples(usual, 60)), glancing=True)
    assert may_skip(fast, glances(fast, samples(fast, 60)), glancing=True)
