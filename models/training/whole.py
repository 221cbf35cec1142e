"""Whole pictures squeezed to one size, beside the faces that were cut out of them."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from models.training import crops
from models.training.crops import Item
from models.types import Rgb

SIDE = 256  # the smallest sets' pictures; larger ones are brought down to it, or their size would tell
# Faces that somebody cut out tightly: no pictures.
TIGHT = ("dfdc_train/", "mesonet_train/", "people_train/real/utk_")


def prepare(data: Path, items: Sequence[Item], cache: Path) -> tuple[NDArray[np.uint8], NDArray[np.bool_]]:
    """(n, SIDE, SIDE, 3), black where the picture is none, and which are pictures. Read once; later from `cache`."""
    is_picture = np.array([not item.path.startswith(TIGHT) for item in items])
    name = hashlib.sha256("\n".join(item.path for item in items).encode()).hexdigest()[:12]
    path = cache / f"pictures-{name}.npy"
    if not path.exists():
        cache.mkdir(parents=True, exist_ok=True)
        unfinished = path.with_suffix(".partial")
        shape = (len(items), SIDE, SIDE, 3)
        pictures = np.lib.format.open_memmap(unfinished, mode="w+", dtype=np.uint8, shape=shape)
        for i in np.flatnonzero(is_picture).tolist():
            pictures[i] = squeezed_file(crops.root(data) / items[i].path)
        pictures.flush()
        unfinished.replace(path)
    return np.load(path, mmap_mode="r"), is_picture


def squeezed_file(path: Path) -> Rgb:
    with Image.open(path) as picture:
        rgb = np.asarray(picture.convert("RGB"), np.uint8)
    way = cv2.INTER_AREA if min(rgb.shape[:2]) >= SIDE else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(rgb, (SIDE, SIDE), interpolation=way), np.uint8)
