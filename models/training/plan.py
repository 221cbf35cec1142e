"""What every recipe has in common whatever framework trains it: how long it may run, how far it came, its rate."""

from __future__ import annotations

import math
import os
from dataclasses import dataclass


@dataclass(frozen=True)
class Budget:
    """Time, steps, or both: the run ends with whichever is spent first."""

    minutes: float  # may be infinite where steps are counted
    seed: int
    most_steps: int | None = None
    save_seconds: float = 120.0
    judge_seconds: float = 420.0
    log_seconds: float = 15.0

    def spent(self, step: int, seconds: float) -> float:
        """Share of the budget, 1 when the run is over."""
        by_time = seconds / (60 * self.minutes)
        return min(1.0, max(by_time, step / self.most_steps if self.most_steps else 0.0))


@dataclass(frozen=True)
class Trained:
    steps: int
    images: int
    seconds: float
    best: float


@dataclass(frozen=True)
class Wish:
    """What is asked of a run; the recipe says the rest. Epochs alone know no limit of time."""

    minutes: float | None = None
    epochs: float | None = None
    seed: int = 1
    resume: bool = False

    def budget(self, usual: float, images: int, batch: int) -> tuple[float, int | None]:
        """(minutes, steps) of a run over that many images; `usual`: its minutes where nothing is asked for."""
        steps = None if self.epochs is None else max(1, math.ceil(self.epochs * images / batch))
        return self.minutes or (usual if steps is None else math.inf), steps


def cosine(step: int, share: float, peak: float, last: float, warm_up: int) -> float:
    """Linear warm-up, then a cosine over the share of the budget that is spent."""
    rate = last + (peak - last) * 0.5 * (1 + math.cos(math.pi * min(share, 1.0)))
    return rate * min(1.0, (step + 1) / warm_up)


def cores() -> int:
    """That this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
