"""From an index of labelled pictures to one shard of aligned crops, cut exactly as serving cuts them.

Many face sets ship crops so tight that no finder sees a face in them: a mirrored margin is put around the picture
first. Where even that shows none, the whole picture is the box (`how` = margin), and reports keep the two apart.
"""

from __future__ import annotations

import csv
import hashlib
import logging
import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict
from functools import partial
from multiprocessing import get_context
from pathlib import Path

import cv2
import numpy as np
from PIL import Image
from rich.progress import track

from models import align, faces
from models.training import shard
from models.training.shard import SERVING, Cutting, Item, Shard
from models.types import Floats, Rgb

__all__ = [
    "PICTURES", "SERVING", "Cutting", "Item", "Shard", "cut", "cut_with_landmarks", "prepare", "read_index", "root",
    "serving_crop",
]  # fmt: skip

log = logging.getLogger(__name__)

# Share of the longer side. Of 280 pictures of four sets .15 showed 277 faces, none at all 262.
MARGINS = (0.15, 0.3, 0.8)
PICTURES = (".jpg", ".jpeg", ".png", ".webp")


def read_index(data: Path) -> list[Item]:
    """`data` is an index or the folder of `index.csv`: path,label,group,method; paths are relative to it.

    The first folder of a path names its data set. A folder that was prepared lists what was cut.
    """
    if shard.is_prepared(root(data)):
        return list(shard.read_listing(_index(data)))
    with _index(data).open(newline="", encoding="utf-8") as file:
        return [
            Item(row["path"], row["label"], row["group"], row["method"], row["path"].split("/", 1)[0])
            for row in csv.DictReader(file)
            if row["path"].lower().endswith(PICTURES)
        ]


def root(data: Path) -> Path:
    """What the paths of an index are relative to."""
    return _index(data).parent


def _index(data: Path) -> Path:
    return data if data.is_file() else data / "index.csv"


def prepare(
    data: Path, items: Sequence[Item], cache: Path, workers: int | None = None, cutting: Cutting = SERVING
) -> Shard:
    """Cut every picture once; a second call with the same items reads the shard of the first.

    What was prepared is not cut again.
    """
    if shard.is_prepared(root(data)):
        return shard.narrowed(shard.read_prepared(root(data)), items, cutting)
    words = [item.path for item in items] + ([] if cutting == SERVING else [repr(cutting)])
    name = hashlib.sha256("\n".join(words).encode()).hexdigest()[:12]
    listing, stored, points = (cache / f"crops-{name}.{kind}" for kind in ("csv", "npy", "landmarks.npy"))
    if not (listing.exists() and points.exists()):
        cache.mkdir(parents=True, exist_ok=True)
        _write(data, items, listing, stored, points, workers or os.cpu_count() or 1, cutting)
    return Shard(np.load(stored, mmap_mode="r"), shard.read_listing(listing), np.load(points), cutting)


def cut(rgb: Rgb) -> tuple[Rgb, str]:
    """The aligned crop of the face nearest the middle, and how it was found."""
    crop, landmarks = cut_with_landmarks(rgb)
    return crop, "margin" if landmarks is None else "landmarks"


def cut_with_landmarks(rgb: Rgb, cutting: Cutting = SERVING) -> tuple[Rgb, Floats | None]:
    """The same crop, as wide as wanted, and the 68 landmarks in its pixels."""
    nearest = nearest_the_middle(rgb)
    if nearest is not None:
        padded, face = nearest
        return around(padded, face.landmarks, cutting)
    height, width = rgb.shape[:2]
    return align.crop(rgb, align.square_of_box((0, 0, width, height)).widened(cutting.wider), cutting.side), None


def nearest_the_middle(rgb: Rgb) -> tuple[Rgb, faces.Located] | None:
    """The picture with the margin that showed a face, and the face nearest its middle."""
    for margin in MARGINS:
        padded = _mirrored(rgb, round(margin * max(rgb.shape[:2])))
        found = faces.locate(padded)
        if found:
            height, width = padded.shape[:2]
            nearest = min(found, key=lambda face: _off_centre(face.box, width, height))
            return padded, nearest
    return None


def around(rgb: Rgb, landmarks: Floats, cutting: Cutting) -> tuple[Rgb, Floats]:
    """The crop of a face with these landmarks, as wide as wanted, and the landmarks in its pixels."""
    square = align.square_of_landmarks(landmarks).widened(cutting.wider)
    return align.crop(rgb, square, cutting.side), align.to_crop(landmarks, square, cutting.side)


def _off_centre(box: tuple[float, float, float, float], width: int, height: int) -> float:
    """Distance from the middle in face widths, so that a large face beats its small mirrored neighbours."""
    x, y, wide, high = box
    return float(np.hypot(x + wide / 2 - width / 2, y + high / 2 - height / 2)) / max(wide, 1.0)


def _mirrored(rgb: Rgb, border: int) -> Rgb:
    border = min(border, min(rgb.shape[:2]) - 1)
    return np.asarray(cv2.copyMakeBorder(rgb, border, border, border, border, cv2.BORDER_REFLECT_101), np.uint8)


def _write(
    data: Path, items: Sequence[Item], listing: Path, stored: Path, points: Path, workers: int, cutting: Cutting
) -> None:
    unfinished = stored.with_suffix(".partial")
    shape = (len(items), cutting.side, cutting.side, 3)
    crops = np.lib.format.open_memmap(unfinished, mode="w+", dtype=np.uint8, shape=shape)
    landmarks = np.full((len(items), 68, 2), np.nan, np.float32)
    done = []
    for i, (crop, found) in enumerate(track(_cut_all(data, items, workers, cutting), "cutting faces", len(items))):
        crops[i] = crop
        if found is not None:
            landmarks[i] = found
        done.append(Item(**{**asdict(items[i]), "how": "margin" if found is None else "landmarks"}))
    crops.flush()
    np.save(points, landmarks)
    unfinished.replace(stored)
    shard.write_listing(listing, done)
    log.info("cut %d crops, %d without landmarks", len(done), sum(item.how == "margin" for item in done))


def _cut_all(data: Path, items: Sequence[Item], workers: int, cutting: Cutting) -> Iterator[tuple[Rgb, Floats | None]]:
    paths = [str(root(data) / item.path) for item in items]
    cut_file = partial(_cut_file, cutting=cutting)
    if workers == 1:
        yield from map(cut_file, paths)
        return
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
        yield from pool.map(cut_file, paths, chunksize=32)


def _cut_file(path: str, cutting: Cutting) -> tuple[Rgb, Floats | None]:
    cv2.setNumThreads(1)
    with Image.open(path) as picture:
        return cut_with_landmarks(np.asarray(picture.convert("RGB"), np.uint8), cutting)


def serving_crop(held: Shard, i: int) -> Rgb:
    """Item `i` as serving would cut it: the middle of a wider crop."""
    crop, cutting = np.asarray(held.crops[i]), held.cutting
    inner = round(cutting.serving_side)
    start = (cutting.side - inner) // 2
    return crop[start : start + inner, start : start + inner]
