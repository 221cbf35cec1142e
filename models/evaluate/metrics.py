"""How well scores part fakes from genuine items, with intervals that respect groups. numpy only."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Reals = NDArray[np.float64]
Flags = NDArray[np.bool_]


@dataclass(frozen=True)
class Measured:
    """A metric and its 95 % range over bootstrap draws of groups."""

    value: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.value:.3f} ({self.low:.3f}-{self.high:.3f})"


def auc(scores: Reals, fake: Flags) -> float:
    """Chance that a fake scores above a genuine item; ties count half. NaN without both classes."""
    if fake.all() or not fake.any():
        return float("nan")
    _, place, counts = np.unique(scores, return_inverse=True, return_counts=True)
    rank = (np.cumsum(counts) - (counts - 1) / 2)[place]
    fakes, reals = int(fake.sum()), int((~fake).sum())
    return float((rank[fake].sum() - fakes * (fakes + 1) / 2) / (fakes * reals))


def tpr_at_fpr(scores: Reals, fake: Flags, fpr: float) -> float:
    """Share of fakes above the threshold that at most `fpr` of the genuine items exceed."""
    reals = np.sort(scores[~fake])[::-1]
    threshold = reals[min(int(fpr * len(reals)), len(reals) - 1)]
    return float((scores[fake] > threshold).mean())


def calibration_error(probabilities: Reals, fake: Flags, bins: int = 10) -> float:
    """Expected calibration error over equal-width bins."""
    which = np.minimum((probabilities * bins).astype(int), bins - 1)
    gaps = [
        (which == b).mean() * abs(probabilities[which == b].mean() - fake[which == b].mean())
        for b in range(bins)
        if (which == b).any()
    ]
    return float(sum(gaps))


def bootstrap(
    metric: Callable[[Reals, Flags], float],
    scores: Reals,
    fake: Flags,
    groups: Sequence[str],
    draws: int = 200,
    seed: int = 0,
) -> Measured:
    values = [metric(scores[chosen], fake[chosen]) for chosen in draws_of_groups(groups, draws, seed)]
    low, high = np.nanpercentile(values, [2.5, 97.5])
    return Measured(metric(scores, fake), float(low), float(high))


def draws_of_groups(groups: Sequence[str], draws: int, seed: int) -> list[NDArray[np.int64]]:
    """Item indices of `draws` bootstrap samples that take whole groups."""
    _, place = np.unique(np.array(groups), return_inverse=True)
    order = np.argsort(place, kind="stable")
    members = np.split(order, np.cumsum(np.bincount(place))[:-1])
    rng = np.random.default_rng(seed)
    return [
        np.concatenate([members[group] for group in rng.integers(0, len(members), len(members))]) for _ in range(draws)
    ]
