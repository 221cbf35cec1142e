"""Aligned crops on disk, as recipes and evaluation read them: one array of crops, one of landmarks, one listing.

A folder that `unmask prepare` filled holds crops.npy, landmarks.npy, index.csv (a line an item, in the arrays' order)
and prepared.json (how wide the crops are, what was passed over and why).
"""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models import align
from models.errors import DatasetError
from models.types import Floats

PREPARED, LISTING, CROPS, LANDMARKS = "prepared.json", "index.csv", "crops.npy", "landmarks.npy"
LABELS = ("real", "fake")


@dataclass(frozen=True)
class Item:
    path: str
    label: str  # real | fake
    group: str  # never on both sides of a split
    method: str
    dataset: str
    how: str = ""  # landmarks | margin, once it is cut

    @property
    def fake(self) -> bool:
        return self.label == "fake"


@dataclass(frozen=True)
class Cutting:
    """How much of the picture a stored crop shows: `wider` times the serving crop's side, at `side` pixels.

    Training moves within the wider crop, so that it meets a range of margins without cutting every picture anew.
    """

    side: int = align.CROP_SIDE
    wider: float = 1.0

    @property
    def serving_side(self) -> float:
        """The serving crop's side within the stored one, in pixels."""
        return self.side / self.wider


SERVING = Cutting()
# 300 pixels are 1.17 times the serving crop's width: the widest margin of training.
WIDE = Cutting(300, 300 / align.CROP_SIDE)


class Rows:
    """Some rows of an array that stays on disk, in an order of their own."""

    def __init__(self, crops: NDArray[np.uint8], rows: NDArray[np.int64]) -> None:
        self._crops, self._rows = crops, rows

    def __len__(self) -> int:
        return len(self._rows)

    def __getitem__(self, which: Any) -> NDArray[np.uint8]:
        return np.asarray(self._crops[self._rows[which]], np.uint8)

    @property
    def shape(self) -> tuple[int, ...]:
        return (len(self), *self._crops.shape[1:])


@dataclass(frozen=True)
class Shard:
    """`crops[i]` is the RGB crop of `items[i]`; the arrays stay on disk.

    `landmarks`: (n, 68, 2) in pixels of the crop, NaN where it was cut without.
    """

    crops: NDArray[np.uint8] | Rows
    items: tuple[Item, ...]
    landmarks: Floats | None = None
    cutting: Cutting = SERVING


def is_prepared(folder: Path) -> bool:
    return (folder / PREPARED).is_file()


def write_listing(path: Path, items: Iterable[Item]) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, [field.name for field in fields(Item)])
        writer.writeheader()
        writer.writerows(asdict(item) for item in items)


def read_listing(path: Path) -> tuple[Item, ...]:
    with path.open(newline="", encoding="utf-8") as file:
        return tuple(Item(**row) for row in csv.DictReader(file))


def read_prepared(folder: Path) -> Shard:
    """All that was prepared, as wide as it was cut; DatasetError where the files do not belong together."""
    try:
        cutting = Cutting(**json.loads((folder / PREPARED).read_text(encoding="utf-8"))["cutting"])
        crops, landmarks = np.load(folder / CROPS, mmap_mode="r"), np.load(folder / LANDMARKS)
        items = read_listing(folder / LISTING)
        fitting = _fit(items, crops, landmarks, cutting)
    except (OSError, EOFError, KeyError, TypeError, ValueError, csv.Error) as error:
        raise DatasetError(f"{folder} is not what was prepared ({error}). Prepare it again.") from error
    if not fitting:
        raise DatasetError(f"In {folder}, faces, landmarks and listing do not belong together. Prepare it again.")
    return Shard(crops, items, landmarks, cutting)


def _fit(items: Sequence[Item], crops: NDArray[Any], landmarks: NDArray[Any], cutting: Cutting) -> bool:
    return (
        cutting.side > 0
        and cutting.wider >= 1
        and crops.shape == (len(items), cutting.side, cutting.side, 3)
        and landmarks.shape == (len(items), 68, 2)
        and (crops.dtype, landmarks.dtype) == (np.dtype(np.uint8), np.dtype(np.float32))
        and all(item.label in LABELS for item in items)
    )


def narrowed(shard: Shard, items: Sequence[Item], cutting: Cutting) -> Shard:
    """Some of a prepared shard's items, cut as a recipe wants them: the middle of what is stored."""
    stored = shard.cutting
    edge = (stored.side - cutting.side) // 2
    if edge < 0 or abs(stored.serving_side - cutting.serving_side) > 0.5:
        raise DatasetError(
            f"These faces were prepared at {stored.side} pixels, {stored.wider:.2f} times the serving crop; "
            f"this recipe needs {cutting.side} pixels, {cutting.wider:.2f} times. Prepare them again."
        )
    place = {item.path: row for row, item in enumerate(shard.items)}
    rows = np.array([place[item.path] for item in items], np.int64)
    assert isinstance(shard.crops, np.ndarray), "a prepared shard is whole"
    assert shard.landmarks is not None, "a prepared shard is whole"
    inner = slice(edge, stored.side - edge)
    points = np.asarray(shard.landmarks[rows] - np.float32(edge), np.float32)
    return Shard(Rows(shard.crops[:, inner, inner], rows), tuple(items), points, cutting)
