"""Blinks from the eye aspect ratio, and how usual their number is. Pure: numbers in, numbers out.

Closed is an eye below 75 % of the person's own rolling 90th percentile, so that narrow eyes and a camera from above
count as open. What follows from the count is only as strong as what is published of people at rest.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

Reals = NDArray[np.float64]

CLOSED, OPEN_QUANTILE = 0.75, 0.9
WINDOW = 75  # glances to either side for the rolling percentile: five seconds each
LONGEST_STEP = 0.1  # seconds between two glances; a blink fits into a longer gap, so it is no exposure
LONGEST_BLINK = 0.8  # seconds; eyes that stay down longer read or sleep, and that time is no exposure
# Or noise is counted as blinks: how many deviations, from glance to glance, the limit lies below open eyes, and the
# largest share of glances below it, twice that of lively talk.
CLEAR, MOST_CLOSED = 4.0, 0.25

# Log-normal rates a minute by their published 95 % ranges: at gaze, in conversation, reading. Mixed in equal parts no
# blink at all has probability .21 in 10 s, .05 in 30 s and .014 in 60 s.
RATES = ((8.0, 21.0), (10.5, 32.5), (1.4, 14.4))
CAP = math.log(3)  # of the log-likelihood ratio: blinking never decides
_NODES, _WEIGHTS = np.polynomial.hermite_e.hermegauss(64)


@dataclass(frozen=True)
class Watched:
    """One person's eyelids: times in seconds, the ratio, the limit below which it counts as closed."""

    t: Reals
    ratio: Reals
    limit: Reals
    blinks: tuple[tuple[float, float], ...]
    exposure: float  # seconds in which a blink would have been seen
    glances: float  # a second of exposure
    clear: bool  # the limit stands out from noise

    @property
    def per_minute(self) -> float:
        return 60 * len(self.blinks) / self.exposure if self.exposure else 0.0


def watched(lids: Sequence[tuple[float, float]]) -> Watched:
    """`lids`: (seconds, eye aspect ratio), in order of time; gaps are where the eyes were not seen."""
    t, ratio = (np.array(column, np.float64) for column in zip(*lids, strict=True)) if lids else (np.empty(0),) * 2
    limit = CLOSED * _rolling(ratio)
    steps = np.diff(t)
    blinks: list[tuple[float, float]] = []
    exposure, seen = 0.0, 0
    for first, last in _runs(steps <= LONGEST_STEP):
        inside = slice(first, last + 1)
        spans = [
            (first + a, first + b, _length(t, first + a, first + b, last))
            for a, b in _runs_of(ratio[inside] < limit[inside])
        ]
        down = sum(length for _, _, length in spans if length > LONGEST_BLINK)
        exposure += float(t[last] - t[first]) - down
        seen += last - first
        # One that had begun before the eyes came into sight belongs to no exposure.
        blinks += [(float(t[a]), float(t[a]) + s) for a, _, s in spans if a > first and s <= LONGEST_BLINK]
    exposure = max(exposure, 0.0)
    return Watched(t, ratio, limit, tuple(blinks), exposure, seen / exposure if exposure else 0.0, _clear(ratio, limit))


def no_more(count: int, seconds: float) -> float:
    """Probability that a genuine person blinks at most so often."""
    return sum(_exactly(n, seconds) for n in range(count + 1))


def p_value(count: int, seconds: float) -> float:
    """Two-sided: how rare so few, or so many, blinks are."""
    fewer = no_more(count, seconds)
    more = 1 - fewer + _exactly(count, seconds)
    return min(1.0, max(2 * min(fewer, more), 0.0))


def log_ratio(p: float) -> float:
    """The most that such a p-value may count for manipulation, -log(-e p log p) (Sellke, Bayarri and Berger 2001).

    Never below 0: blinking as people do is easily imitated.
    """
    if p >= 1 / math.e:
        return 0.0
    return min(CAP, -math.log(-math.e * p * math.log(p))) if p > 0 else CAP


def _exactly(count: int, seconds: float) -> float:
    """Poisson, averaged over the rates by Gauss-Hermite quadrature."""
    total = 0.0
    for low, high in RATES:
        middle, spread = (math.log(low) + math.log(high)) / 2, (math.log(high) - math.log(low)) / 3.92
        expected = np.exp(middle + spread * _NODES) * seconds / 60
        log_p = count * np.log(np.maximum(expected, 1e-300)) - expected - math.lgamma(count + 1)
        total += float(_WEIGHTS @ np.exp(log_p) / _WEIGHTS.sum()) / len(RATES)
    return total


def _rolling(ratio: Reals) -> Reals:
    """At either end that of the first and last whole window."""
    if not len(ratio):
        return ratio
    windows = np.lib.stride_tricks.sliding_window_view(ratio, min(2 * WINDOW + 1, len(ratio)))
    inner = np.quantile(windows, OPEN_QUANTILE, axis=1)
    before = (len(ratio) - len(inner)) // 2
    return np.asarray(np.pad(inner, (before, len(ratio) - len(inner) - before), mode="edge"), np.float64)


def _clear(ratio: Reals, limit: Reals) -> bool:
    relative = ratio / limit
    opened = relative >= 1
    steps = np.diff(relative)[opened[1:] & opened[:-1]]
    if len(steps) < 2 or opened.mean() < 1 - MOST_CLOSED:
        return False
    noise = 1.4826 * float(np.median(np.abs(steps))) / math.sqrt(2)
    return float(np.median(relative[opened])) - 1 >= CLEAR * noise


def _runs(joined: NDArray[np.bool_]) -> Iterator[tuple[int, int]]:
    """First and last item of each stretch without a gap."""
    if not len(joined):
        return
    breaks = [-1, *np.flatnonzero(~joined).tolist(), len(joined)]
    yield from ((a + 1, b) for a, b in pairwise(breaks) if b > a + 1)


def _runs_of(flags: NDArray[np.bool_]) -> list[tuple[int, int]]:
    """First and last place of each run of True."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], flags, [False]]).astype(np.int8)))
    return [(int(a), int(b) - 1) for a, b in zip(edges[::2], edges[1::2], strict=True)]


def _length(t: Reals, first: int, last: int, end: int) -> float:
    """Until the eye is open again, or out of sight."""
    return float(t[min(last + 1, end)] - t[first])
