from __future__ import annotations

import dataclasses

import pytest

from models import calibrate, rates
from tests.models.conftest import FLAGGING


def test_rates_are_those_of_the_rules() -> None:
    fitted = dataclasses.replace(
        calibrate.load(FLAGGING),
        real=tuple(float(i) for i in range(100)), fake={"face_swap": tuple(float(i) for i in range(60, 160))},
        likely_p=0.05, no_evidence_quantile=0.1,
    )  # fmt: skip
    measured = rates.measured(fitted)
    (swaps,) = measured["manipulated"]
    assert (measured["genuine"], swaps["items"]) == (100, 100)
    flagged = [fitted.p_value(score) <= 0.05 for score in fitted.real]
    assert measured["genuine_flagged"] == pytest.approx(sum(flagged) / 100) == 0.04
    assert swaps["flagged"] == pytest.approx(0.64)
    assert swaps["cleared"] == pytest.approx(0.1)


def test_with_too_few_genuine_items_nothing_is_flagged() -> None:
    fitted = dataclasses.replace(calibrate.load(FLAGGING), real=(0.0, 1.0), likely_p=0.01)
    assert rates.measured(fitted)["genuine_flagged"] == 0
