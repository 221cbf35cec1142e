"""Batches of pairs: a fake beside a genuine face that went through the very same camera, crop and compression.

Half of the pairs are made (self_blend), half are known fakes, each with the genuine picture of its own group where
there is one. Within a pair both pictures lie alike and are worn alike, so what parts them is the alteration alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import cv2
import numpy as np
from numpy.typing import NDArray

from models import align
from models.training import augment, self_blend
from models.training.crops import Shard
from models.training.self_blend import Mask, Pair
from models.types import Floats, Rgb

Rng = np.random.Generator

MASK_STRIDE = 8
SMOOTHED = 0.06  # of the pairs, both halves: a beauty filter is no swap
# A fake and its own real were often the same frame. Grey levels by which compression alone makes them differ, and by
# which a place is surely altered; above the first one at the crop's edge, the two are not the same frame.
UNALTERED, ALTERED = 5.0, 20.0


@dataclass(frozen=True)
class Mix:
    """What a batch is made of. `fakes`, `people`: data set -> share of the draws; sets that are absent give way."""

    side: int = 160
    margins: tuple[float, float] = (0.72, 1.17)  # of the serving crop's side
    made: float = 0.5  # pairs made of genuine faces
    swapped: float = 0.25  # of those, with another person's face
    strength: float = 0.8  # of the wear
    fakes: Mapping[str, float] = field(default_factory=dict)
    people: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Batch:
    """`mask` (n, side/8, side/8) in [0, 1] counts only where `masked` (n,) is 1."""

    crops: NDArray[np.uint8]  # (n, side, side, 3)
    fake: Floats
    mask: Floats
    masked: Floats


class Pairs:
    """Draws batches from the items `among` a shard; each depends on the random numbers alone."""

    def __init__(self, shard: Shard, among: NDArray[np.int64], mix: Mix) -> None:
        self._shard, self._mix = shard, mix
        self._fakes = _Pools(shard, [i for i in among.tolist() if shard.items[i].fake], mix.fakes)
        genuine = [i for i in among.tolist() if not shard.items[i].fake]
        self._genuine: dict[str, list[int]] = {}
        self._of_group: dict[tuple[str, str], list[int]] = {}
        for i in genuine:
            item = shard.items[i]
            self._genuine.setdefault(item.dataset, []).append(i)
            self._of_group.setdefault((item.dataset, item.group), []).append(i)
        self._people = _Pools(shard, [i for i in genuine if not np.isnan(self._landmarks(i)[0, 0])], mix.people)

    def batch(self, pairs: int, rng: Rng) -> Batch:
        drawn = [self._pair(rng) for _ in range(pairs)]
        cells = self._mix.side // MASK_STRIDE
        nothing = np.zeros((cells, cells), np.float32)
        masks = [nothing if mask is None else _cells(mask, cells) for _, _, mask in drawn]
        return Batch(
            crops=np.stack([rgb for fake, genuine, _ in drawn for rgb in (fake, genuine)]),
            fake=np.tile(np.array([1, 0], np.float32), pairs),
            mask=np.stack([mask for fake in masks for mask in (fake, nothing)]),
            masked=np.array([float(known) for *_, mask in drawn for known in (mask is not None, True)], np.float32),
        )

    def _pair(self, rng: Rng) -> tuple[Rgb, Rgb, Mask | None]:
        pair, mask = self._made(rng) if rng.random() < self._mix.made or not self._fakes else self._known(rng)
        if rng.random() < SMOOTHED:
            pair = Pair(_smoothed(pair.fake), _smoothed(pair.genuine), pair.mask)
        seed, side = int(rng.integers(2**63)), self._mix.side
        fake, genuine = (
            cv2.resize(
                augment.worn(rgb, np.random.default_rng(seed), self._mix.strength),
                (side, side),
                interpolation=cv2.INTER_AREA,
            )
            for rgb in (pair.fake, pair.genuine)
        )
        return np.asarray(fake, np.uint8), np.asarray(genuine, np.uint8), mask

    def _made(self, rng: Rng) -> tuple[Pair, Mask | None]:
        i, matrix = self._people.draw(rng), self._placement(rng)
        rgb, landmarks = self._placed(i, matrix), self._points(i, matrix)
        if rng.random() < self._mix.swapped:
            donor = self._people.draw(rng)
            pair = self_blend.swapped(self._placed(donor, matrix), self._points(donor, matrix), rgb, landmarks, rng)
        else:
            pair = self_blend.self_blend(rgb, landmarks, rng)
        return pair, pair.mask

    def _known(self, rng: Rng) -> tuple[Pair, Mask | None]:
        i, matrix = self._fakes.draw(rng), self._placement(rng)
        item = self._shard.items[i]
        own = self._of_group.get((item.dataset, item.group)) or self._genuine.get(item.dataset)
        other = own[rng.integers(len(own))] if own else self._people.draw(rng)
        fake, genuine = self._placed(i, matrix), self._placed(other, matrix)
        mask = altered(fake, genuine)
        return Pair(fake, genuine, np.zeros((1, 1), np.float32) if mask is None else mask), mask

    def _placement(self, rng: Rng) -> NDArray[np.float64]:
        cutting = self._shard.cutting
        return augment.placement(cutting.side, cutting.serving_side, align.CROP_SIDE, self._mix.margins, rng)

    def _placed(self, i: int, matrix: NDArray[np.float64]) -> Rgb:
        return augment.placed(np.asarray(self._shard.crops[i]), matrix, align.CROP_SIDE)

    def _points(self, i: int, matrix: NDArray[np.float64]) -> Floats:
        return np.asarray(self._landmarks(i) @ matrix[:, :2].T + matrix[:, 2], np.float32)

    def _landmarks(self, i: int) -> Floats:
        if self._shard.landmarks is None:
            raise ValueError("Pairs are made from landmarks; cut the crops with them.")
        return np.asarray(self._shard.landmarks[i], np.float32)


class _Pools:
    """A data set by its share, then any of its items."""

    def __init__(self, shard: Shard, among: list[int], shares: Mapping[str, float]) -> None:
        by_set: dict[str, list[int]] = {}
        for i in among:
            by_set.setdefault(shard.items[i].dataset, []).append(i)
        known = {name: pool for name, pool in by_set.items() if shares.get(name, 0) > 0} or by_set
        self._pools = [np.array(pool) for pool in known.values()]
        chances = np.array([shares.get(name, 1.0) for name in known])
        self._chances = chances / chances.sum() if len(chances) else chances

    def __bool__(self) -> bool:
        return bool(self._pools)

    def draw(self, rng: Rng) -> int:
        return int(rng.choice(self._pools[rng.choice(len(self._pools), p=self._chances)]))


def altered(fake: Rgb, genuine: Rgb, cells: int = 32) -> Mask | None:
    """Where two pictures of one frame differ, (cells, cells) in [0, 1]; None when they are not of one frame."""
    gap = cv2.absdiff(fake, genuine).mean(axis=2, dtype=np.float32)
    gap = np.asarray(cv2.blur(cv2.resize(gap, (cells, cells), interpolation=cv2.INTER_AREA), (3, 3)), np.float32)
    edge = float(np.median(np.concatenate([gap[0], gap[-1], gap[:, 0], gap[:, -1]])))
    if edge > UNALTERED:
        return None
    least = UNALTERED + edge
    return np.asarray(np.clip((gap - least) / (ALTERED - least), 0, 1), np.float32)


def _cells(mask: Mask, cells: int) -> Mask:
    return np.asarray(cv2.resize(mask, (cells, cells), interpolation=cv2.INTER_AREA), np.float32)


def _smoothed(rgb: Rgb) -> Rgb:
    return np.asarray(cv2.bilateralFilter(rgb, 7, 30, 5), np.uint8)
