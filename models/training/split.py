"""Which items a recipe learns from, is selected and judged on, and is calibrated on. Groups are never torn apart."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from models.training.crops import Item

Part = Literal["train", "judge", "calibrate"]

TRAIN_SHARE, JUDGE_SHARE = 0.70, 0.15  # what is left calibrates


def part_of(group: str) -> Part:
    """By a hash of the group's name: the same in every run, whatever else the index lists."""
    place = int.from_bytes(hashlib.sha256(group.encode()).digest()[:8], "big") / 2**64
    if place < TRAIN_SHARE:
        return "train"
    return "judge" if place < TRAIN_SHARE + JUDGE_SHARE else "calibrate"


def indices(items: Sequence[Item], part: Part) -> NDArray[np.int64]:
    return np.array([i for i, item in enumerate(items) if part_of(item.group) == part], np.int64)


class Sampler:
    """Endless draws in which every data set and both classes have their share, however large they are.

    `shares`: data set -> (real, fake). Sets that are absent leave their share to the others.
    """

    def __init__(self, items: Sequence[Item], among: NDArray[np.int64], shares: dict[str, tuple[float, float]]) -> None:
        pools: dict[tuple[str, bool], list[int]] = {}
        for i in among.tolist():
            pools.setdefault((items[i].dataset, items[i].fake), []).append(i)
        self._pools = [np.array(pool) for pool in pools.values()]
        weights = np.array([shares.get(dataset, (0.1, 0.1))[fake] for dataset, fake in pools])
        self._chances = weights / weights.sum()

    def draw(self, count: int, rng: np.random.Generator) -> NDArray[np.int64]:
        chosen = rng.choice(len(self._pools), count, p=self._chances)
        return np.array([rng.choice(self._pools[pool]) for pool in chosen], np.int64)
