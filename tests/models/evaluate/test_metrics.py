from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import beta
from sklearn.metrics import roc_auc_score

from models.evaluate.crops import by_set
from models.evaluate.metrics import (
    auc,
    bootstrap,
    bootstraps,
    brier,
    calibration_error,
    confusion,
    draws_of_groups,
    equal_error_rate,
    even,
    precision_at,
    reliability,
    roc,
    tpr_at_fpr,
    upper_bound,
)

RNG = np.random.default_rng(0)
FAKE = RNG.random(400) < 0.4
SCORES = np.round(FAKE * 0.3 + RNG.random(400), 2)  # with ties


def test_auc_is_that_of_scikit_learn() -> None:
    assert auc(SCORES, FAKE) == pytest.approx(roc_auc_score(FAKE, SCORES))
    assert np.isnan(auc(SCORES[FAKE], FAKE[FAKE]))


def test_interval_holds_the_value_and_is_wider_for_fewer_groups() -> None:
    many = bootstrap(auc, SCORES, FAKE, [str(i) for i in range(400)])
    few = bootstrap(auc, SCORES, FAKE, [str(i // 40) for i in range(400)])
    assert many.low < many.value < many.high
    assert few.high - few.low > 0.8 * (many.high - many.low)
    assert str(many) == f"{many.value:.3f} ({many.low:.3f}-{many.high:.3f})"


def test_draws_take_whole_groups() -> None:
    groups = ["a", "a", "b", "c", "c", "c"]
    for draw in draws_of_groups(groups, 20, 0):
        counts = np.bincount(draw, minlength=6)
        assert counts[0] == counts[1]
        assert counts[3] == counts[4] == counts[5]


def test_tpr_counts_only_what_lies_above_the_allowed_false_alarms() -> None:
    scores = np.concatenate([np.arange(100) / 100, np.full(10, 0.97)])
    fake = np.arange(110) >= 100
    assert tpr_at_fpr(scores, fake, 0.05) == 1.0
    assert tpr_at_fpr(scores, fake, 0.01) == 0.0


def test_calibration_error_of_honest_probabilities_is_small() -> None:
    p = RNG.random(20_000)
    fake = RNG.random(20_000) < p
    assert calibration_error(p, fake) < 0.02
    assert calibration_error(np.clip(p + 0.3, 0, 1), fake) > 0.2


def test_sets_with_one_class_have_no_auc() -> None:
    one, two = by_set(SCORES, FAKE & (np.arange(400) < 200), [str(i) for i in range(400)], ["a"] * 200 + ["b"] * 200)
    assert one.auc is not None
    assert (two.auc, two.tpr, two.reals) == (None, None, 200)


SIX = np.array([0.9, 0.8, 0.7, 0.6, 0.4, 0.2])
MADE = np.array([True, True, False, True, False, False])


def test_roc_and_equal_errors_by_hand() -> None:
    alarms, found = roc(SIX, MADE)
    assert alarms.tolist() == pytest.approx([0, 0, 0, 1 / 3, 1 / 3, 2 / 3, 1])
    assert found.tolist() == pytest.approx([0, 1 / 3, 2 / 3, 2 / 3, 1, 1, 1])
    assert equal_error_rate(SIX, MADE) == pytest.approx(1 / 3)
    assert auc(SIX, MADE) == pytest.approx(8 / 9)
    assert equal_error_rate(np.array([0.5, 0.5]), np.array([True, False])) == pytest.approx(0.5)
    tied = roc(np.array([0.5, 0.5, 0.1]), np.array([True, False, False]))
    assert tied[0].tolist() == [0, 0.5, 1]


def test_counts_at_a_threshold_by_hand() -> None:
    at = confusion(SIX >= 0.65, MADE)
    assert (at.fakes_found, at.fakes_missed, at.reals_flagged, at.reals_passed) == (2, 1, 1, 2)
    assert (at.accuracy, at.precision, at.recall, at.f1) == pytest.approx((4 / 6, 2 / 3, 2 / 3, 2 / 3))
    assert np.isnan(confusion(SIX > 1, MADE).precision)


def test_brier_and_calibration_error_weigh_both_classes_alike() -> None:
    p, fake = np.array([0.8, 0.2, 0.2, 0.2]), np.array([True, False, False, False])
    assert brier(p, fake) == pytest.approx(0.04)
    assert even(fake).tolist() == pytest.approx([0.5, 1 / 6, 1 / 6, 1 / 6])
    assert calibration_error(p, fake, importance=even(fake)) == pytest.approx(0.2)
    low, high = reliability(p, fake, importance=even(fake))
    assert (low.share, low.probability, low.fakes, low.items) == pytest.approx((0.5, 0.2, 0.0, 3))
    assert (high.share, high.fakes, high.items) == pytest.approx((0.5, 1.0, 1))


def test_the_bound_is_that_of_the_binomial_distribution() -> None:
    assert upper_bound(0, 34) == pytest.approx(1 - 0.05 ** (1 / 34))
    assert upper_bound(0, 299) == pytest.approx(0.009969, abs=1e-5)
    assert upper_bound(5, 100) == pytest.approx(beta.ppf(0.95, 6, 95), abs=1e-9)
    assert upper_bound(3, 3) == 1.0


def test_precision_where_little_is_manipulated() -> None:
    assert precision_at(0.01, 0.5, 0.01) == pytest.approx(0.336, abs=1e-3)
    assert np.isnan(precision_at(0.01, 0.0, 0.0))


def test_what_needs_both_classes_is_not_a_number_without_them() -> None:
    one = bootstraps({"auc": auc, "eer": equal_error_rate}, SIX[MADE], MADE[MADE], ["a", "b", "c"])
    assert all(np.isnan(measured.value) and np.isnan(measured.low) for measured in one.values())
    assert np.isnan(tpr_at_fpr(SIX[MADE], MADE[MADE], 0.1))
