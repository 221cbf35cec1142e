"""How well scores part fakes from genuine items, with intervals that respect groups. numpy only."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Mapping, Sequence
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
    """Share of fakes above the threshold that at most `fpr` of the genuine items exceed. NaN without both classes."""
    if fake.all() or not fake.any():
        return float("nan")
    reals = np.sort(scores[~fake])[::-1]
    threshold = reals[min(int(fpr * len(reals)), len(reals) - 1)]
    return float((scores[fake] > threshold).mean())


def roc(scores: Reals, fake: Flags) -> tuple[Reals, Reals]:
    """False and true positive rates at every threshold, from none flagged to all; equal scores are one step."""
    order = np.argsort(-scores, kind="stable")
    last = np.append(np.flatnonzero(np.diff(scores[order])), len(scores) - 1)
    found, alarms = np.cumsum(fake[order])[last], np.cumsum(~fake[order])[last]
    start = np.zeros(1)
    return (
        np.concatenate([start, alarms / max(int((~fake).sum()), 1)]),
        np.concatenate([start, found / max(int(fake.sum()), 1)]),
    )


def equal_error_rate(scores: Reals, fake: Flags) -> float:
    """Where as many genuine items are flagged as fakes are missed. NaN without both classes."""
    if fake.all() or not fake.any():
        return float("nan")
    alarms, found = roc(scores, fake)
    gap = alarms - (1 - found)  # rises from -1 to 1
    after = int(np.argmax(gap >= 0))
    if gap[after] == 0:
        return float(alarms[after])
    share = -gap[after - 1] / (gap[after] - gap[after - 1])
    return float(alarms[after - 1] + share * (alarms[after] - alarms[after - 1]))


@dataclass(frozen=True)
class Confusion:
    """Counts at one threshold."""

    fakes_found: int
    fakes_missed: int
    reals_flagged: int
    reals_passed: int

    @property
    def accuracy(self) -> float:
        return _share(self.fakes_found + self.reals_passed, self.items)

    @property
    def precision(self) -> float:
        return _share(self.fakes_found, self.fakes_found + self.reals_flagged)

    @property
    def recall(self) -> float:
        return _share(self.fakes_found, self.fakes_found + self.fakes_missed)

    @property
    def f1(self) -> float:
        return _share(2 * self.fakes_found, 2 * self.fakes_found + self.reals_flagged + self.fakes_missed)

    @property
    def items(self) -> int:
        return self.fakes_found + self.fakes_missed + self.reals_flagged + self.reals_passed


def confusion(flagged: Flags, fake: Flags) -> Confusion:
    return Confusion(
        int((flagged & fake).sum()),
        int((~flagged & fake).sum()),
        int((flagged & ~fake).sum()),
        int((~flagged & ~fake).sum()),
    )


def _share(some: int, of: int) -> float:
    return some / of if of else float("nan")


def even(fake: Flags) -> Reals:
    """Weights by which both classes count the same, as a prior of .5 says; they add up to 1."""
    fakes = int(fake.sum())
    shares = [0.5 / max(len(fake) - fakes, 1), 0.5 / max(fakes, 1)]
    return np.where(fake, shares[1], shares[0])


def brier(probabilities: Reals, fake: Flags, importance: Reals | None = None) -> float:
    return float(np.average((probabilities - fake) ** 2, weights=importance))


def upper_bound(hits: int, of: int, confidence: float = 0.95) -> float:
    """Clopper and Pearson's one-sided bound: the largest rate at which so few hits are not yet unlikely."""
    if hits >= of:
        return 1.0
    low, high = hits / of, 1.0
    for _ in range(60):
        rate = (low + high) / 2
        low, high = (rate, high) if _at_most(hits, of, rate) > 1 - confidence else (low, rate)
    return high


def _at_most(hits: int, of: int, rate: float) -> float:
    """Chance of so many hits or fewer, by the binomial distribution."""
    if rate >= 1:
        return 0.0
    ways = math.lgamma(of + 1)
    return math.fsum(
        math.exp(
            ways - math.lgamma(k + 1) - math.lgamma(of - k + 1) + k * math.log(rate) + (of - k) * math.log1p(-rate)
        )
        for k in range(hits + 1)
    )


def precision_at(prevalence: float, found: float, alarms: float) -> float:
    """Of what is flagged, the share that is manipulated, where `prevalence` of all is. NaN where nothing is flagged."""
    flagged = prevalence * found + (1 - prevalence) * alarms
    return prevalence * found / flagged if flagged else float("nan")


@dataclass(frozen=True)
class Bin:
    """Items whose probability lies in one stretch. `share`: of their weight; `fakes`: share that is manipulated."""

    share: float
    probability: float
    fakes: float
    items: int


def reliability(probabilities: Reals, fake: Flags, bins: int = 10, importance: Reals | None = None) -> list[Bin]:
    """What is said against what is so, in stretches of equal width; empty ones are left out."""
    weight = np.full(len(fake), 1 / len(fake)) if importance is None else importance
    which = np.minimum((probabilities * bins).astype(int), bins - 1)
    return [
        Bin(
            float(weight[some].sum()),
            float(np.average(probabilities[some], weights=weight[some])),
            float(np.average(fake[some], weights=weight[some])),
            int(some.sum()),
        )
        for some in (which == b for b in range(bins))
        if some.any()
    ]


def calibration_error(probabilities: Reals, fake: Flags, bins: int = 10, importance: Reals | None = None) -> float:
    """Expected calibration error over equal-width bins."""
    return sum(abs(b.probability - b.fakes) * b.share for b in reliability(probabilities, fake, bins, importance))


def bootstrap(
    metric: Callable[[Reals, Flags], float],
    scores: Reals,
    fake: Flags,
    groups: Sequence[str],
    draws: int = 200,
    seed: int = 0,
) -> Measured:
    return bootstraps({"": metric}, scores, fake, groups, draws, seed)[""]


def bootstraps(
    metrics: Mapping[str, Callable[[Reals, Flags], float]],
    scores: Reals,
    fake: Flags,
    groups: Sequence[str],
    draws: int = 200,
    seed: int = 0,
) -> dict[str, Measured]:
    """Several metrics over the same draws. One that needs both classes is NaN where there is one."""
    chosen = draws_of_groups(groups, draws, seed)
    return {name: _measured(metric, scores, fake, chosen) for name, metric in metrics.items()}


def _measured(
    metric: Callable[[Reals, Flags], float], scores: Reals, fake: Flags, draws: Sequence[NDArray[np.int64]]
) -> Measured:
    values = [metric(scores[chosen], fake[chosen]) for chosen in draws]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # no draw held both classes
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
