"""A person's many faces to one score."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

from models.types import Score

BEST_SHARE = 0.3


def mean_of_best(scores: Sequence[float]) -> float:
    """Of the highest three in ten, at least one: a swap shows in some faces of a clip, hardly ever in all."""
    best = sorted(scores, reverse=True)[: max(1, math.ceil(BEST_SHARE * len(scores)))]
    return math.fsum(best) / len(best)


def of_best_faces(said: Score) -> Score:
    """The same, a person being the best faces in place of the middle one; as it was where no face was judged alone."""
    return replace(said, p_fake=mean_of_best(said.per_face)) if said.per_face else said
