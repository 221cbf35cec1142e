"""Tiny labelled sets for tests, made from the portrait: the manipulated ones have a patch of the face moved."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
from PIL import Image

from tests.clips import Rgb, make_clip, portrait


def face(seed: int, fake: bool = False) -> Rgb:
    """The portrait's upper half, a little brighter or darker by `seed`; `fake`: with another mouth blended in."""
    rgb = portrait()[:300, 80:380].copy()
    if fake:
        mouth = cv2.resize(rgb[120:170, 110:180], (70, 50))[::-1]
        rgb[128:178, 112:182] = cv2.addWeighted(rgb[128:178, 112:182], 0.3, np.ascontiguousarray(mouth), 0.7, 0)
    return np.asarray(np.clip(rgb.astype(np.int16) + 4 * seed, 0, 255), np.uint8)


def write_face(path: Path, seed: int = 0, fake: bool = False) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(face(seed, fake)).save(path)
    return path


def write_clip(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    return make_clip(path, seconds=0.5, width=480, height=360, fps=10)


def write_folders(root: Path, each: int = 3) -> Path:
    """real/ and fake/ with so many pictures each."""
    for label in ("real", "fake"):
        for number in range(each):
            write_face(root / label / f"{number}.png", number, label == "fake")
    return root
