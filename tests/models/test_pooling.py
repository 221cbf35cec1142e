from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.pooling import mean_of_best


def test_three_in_ten_count() -> None:
    assert mean_of_best([0.1] * 7 + [0.8, 0.9, 1.0]) == pytest.approx(0.9)
    assert mean_of_best([0.3]) == 0.3
    assert mean_of_best([0.2, 0.6, 0.4]) == 0.6


@given(st.lists(st.floats(0, 1), min_size=1), st.floats(0, 1))
def test_a_higher_face_never_lowers_it(scores: list[float], more: float) -> None:
    raised = [max(scores[0], more), *scores[1:]]
    assert mean_of_best(raised) >= mean_of_best(scores) - 1e-12
