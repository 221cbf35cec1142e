"""A person's many faces to one score."""

from __future__ import annotations

import math
from collections.abc import Sequence

BEST_SHARE = 0.3


def mean_of_best(scores: Sequence[float]) -> float:
    """Of the highest three in ten, at least one: a swap shows in some faces of a clip, hardly ever in all."""
    best = sorted(scores, reverse=True)[: max(1, math.ceil(BEST_SHARE * len(scores)))]
    return math.fsum(best) / len(best)
