from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from models.evaluate.crops import by_set
from models.evaluate.metrics import auc, bootstrap, calibration_error, draws_of_groups, tpr_at_fpr

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
