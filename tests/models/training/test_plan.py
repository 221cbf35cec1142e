from __future__ import annotations

import math

import pytest

from models.training.plan import Budget, Wish, cores, cosine


@pytest.mark.parametrize(
    ("wish", "expected"),
    [
        (Wish(), (30.0, None)),
        (Wish(minutes=5), (5, None)),
        (Wish(epochs=2), (math.inf, 50)),
        (Wish(minutes=5, epochs=0.001), (5, 1)),
    ],
)
def test_minutes_epochs_or_both_end_a_run(wish: Wish, expected: tuple[float, int | None]) -> None:
    assert wish.budget(30.0, images=800, batch=32) == expected


def test_whichever_is_spent_first_is_the_share() -> None:
    both = Budget(10, 1, most_steps=100)
    assert both.spent(50, 60) == 0.5
    assert both.spent(10, 540) == 0.9
    assert both.spent(10, 6000) == 1.0
    assert Budget(math.inf, 1, most_steps=4).spent(3, 1e9) == 0.75


def test_the_rate_warms_up_and_falls() -> None:
    rates = [cosine(step, step / 100, 1.0, 0.01, 10) for step in range(101)]
    assert rates[0] < rates[5] < rates[9]
    assert rates[20] > rates[60] > rates[100] == pytest.approx(0.01)


def test_there_is_a_core() -> None:
    assert cores() >= 1
