"""What every recipe has in common whatever framework trains it: how far a run came, and its rate of learning."""

from __future__ import annotations

import math
from dataclasses import dataclass


@dataclass(frozen=True)
class Trained:
    steps: int
    images: int
    seconds: float
    best: float


def cosine(step: int, share: float, peak: float, last: float, warm_up: int) -> float:
    """Linear warm-up, then a cosine over the share of the time budget that is spent."""
    rate = last + (peak - last) * 0.5 * (1 + math.cos(math.pi * min(share, 1.0)))
    return rate * min(1.0, (step + 1) / warm_up)
