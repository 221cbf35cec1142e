from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.report import charts

MOMENTS = st.lists(st.tuples(st.floats(0, 100), st.floats(0, 1)), max_size=60).map(sorted)


@pytest.mark.parametrize(
    ("end", "steps"),
    [
        (12.0, [0, 5, 10]), (1.0, [0, 0.2, 0.4, 0.6, 0.8, 1.0]), (0.4, [0, 0.1, 0.2, 0.3, 0.4]), (0.0, [0]),
        (3600.0, [0, 1000, 2000, 3000]), (28.66, [0, 10, 20]),
    ],
)  # fmt: skip
def test_ticks_are_round(end: float, steps: list[float]) -> None:
    assert charts.round_steps(end) == pytest.approx(steps)


@given(st.floats(1e-3, 1e5))
def test_there_are_neither_too_many_ticks_nor_too_few(end: float) -> None:
    assert 2 <= len(charts.round_steps(end)) <= charts.MOST_TICKS + 1


@given(MOMENTS, st.floats(0, 100))
def test_nothing_lies_outside_the_plot(moments: list[tuple[float, float]], seconds: float) -> None:
    drawn = charts.plot(moments, seconds, 0.5, [(1.0, 200.0)], 0.3)
    assert [(point.t, point.value) for point in drawn.points] == moments
    assert all(0 <= point.x <= 100 and 0 <= point.y <= 100 for point in drawn.points)
    assert all(left + width <= 100 for left, width in drawn.shades)


def test_high_values_are_at_the_top() -> None:
    low, high = charts.plot([(0.0, 0.0), (10.0, 1.0)], 10.0, 1.0).points
    assert (low.x, low.y, high.x, high.y) == (0, 100, 100, 0)


@pytest.mark.parametrize(
    ("scores", "found"),
    [
        ([], []),
        ([0.1, 0.2], []),
        ([0.9], [(0.0, 0.0, 0.9)]),
        ([0.1, 0.7, 0.9, 0.2, 0.8], [(1.0, 2.0, 0.9), (4.0, 4.0, 0.8)]),
        ([0.65, 0.65], [(0.0, 1.0, 0.65)]),
    ],
)
def test_stretches(scores: list[float], found: list[tuple[float, float, float]]) -> None:
    assert charts.stretches([(float(t), score) for t, score in enumerate(scores)], 0.65) == found


def test_what_nobody_saw_is_not_drawn_over() -> None:
    moments = [(t, 0.9) for t in (0.0, 1.0, 2.0, 9.0, 10.0)]
    assert charts.stretches(moments, 0.5) == [(0.0, 2.0, 0.9), (9.0, 10.0, 0.9)]
    assert [line.count(",") for line in charts.plot(moments, 10.0, 1.0).lines] == [3, 2]


@given(MOMENTS, st.floats(0, 1))
def test_every_high_moment_is_in_a_stretch(moments: list[tuple[float, float]], least: float) -> None:
    found = charts.stretches(moments, least)
    for t, score in moments:
        inside = [peak for start, end, peak in found if start <= t <= end]
        assert score < least or max(inside) >= score
