"""What the web does to a picture, done to both classes alike.

In the sets at hand the genuine faces are more often high-quality JPEG than the swapped ones: without the same
recompression, scaling and blur on both, a network learns the file and not the face.
"""

from __future__ import annotations

import cv2
import numpy as np

from models.types import Rgb

Rng = np.random.Generator


def degrade(rgb: Rgb, rng: Rng) -> Rgb:
    """One random version of an aligned crop, of the same size."""
    rgb = _moved(rgb, rng)
    if rng.random() < 0.5:
        rgb = _coloured(rgb, rng)
    if rng.random() < 0.6:
        rgb = _rescaled(rgb, rng)
    if rng.random() < 0.2:
        rgb = np.asarray(cv2.GaussianBlur(rgb, (0, 0), rng.uniform(0.4, 1.5)), np.uint8)
    if rng.random() < 0.1:
        rgb = _noisy(rgb, rng)
    if rng.random() < 0.8:
        rgb = recompressed(rgb, int(rng.integers(35, 96)), "webp" if rng.random() < 0.15 else "jpg")
    return rgb


def recompressed(rgb: Rgb, quality: int, kind: str = "jpg") -> Rgb:
    """`kind`: jpg or webp."""
    flag = cv2.IMWRITE_JPEG_QUALITY if kind == "jpg" else cv2.IMWRITE_WEBP_QUALITY
    _, data = cv2.imencode(f".{kind}", cv2.cvtColor(rgb, cv2.COLOR_RGB2BGR), [flag, quality])
    return np.asarray(cv2.cvtColor(cv2.imdecode(data, cv2.IMREAD_COLOR), cv2.COLOR_BGR2RGB), np.uint8)


def _moved(rgb: Rgb, rng: Rng) -> Rgb:
    """Landmarks shake from frame to frame; a serving crop is never exactly the crop of training."""
    side = rgb.shape[0]
    matrix = cv2.getRotationMatrix2D((side / 2, side / 2), rng.normal(0, 3), rng.uniform(0.92, 1.3))
    matrix[:, 2] += rng.normal(0, 0.02 * side, 2)
    if rng.random() < 0.5:
        rgb = np.ascontiguousarray(rgb[:, ::-1])
    return np.asarray(cv2.warpAffine(rgb, matrix, (side, side), borderMode=cv2.BORDER_REFLECT_101), np.uint8)


def _coloured(rgb: Rgb, rng: Rng) -> Rgb:
    contrast, brightness = rng.uniform(0.7, 1.3), rng.uniform(-25, 25)
    tint = rng.uniform(0.92, 1.08, 3) * contrast
    levels = np.arange(256, dtype=np.float64)[:, None] * tint + brightness + (1 - contrast) * 128
    table = np.clip(levels, 0, 255).astype(np.uint8)[None]
    return np.asarray(cv2.LUT(rgb, table), np.uint8)


def _rescaled(rgb: Rgb, rng: Rng) -> Rgb:
    side = rgb.shape[0]
    small = int(side * rng.uniform(0.3, 0.9))
    ways = (cv2.INTER_AREA, cv2.INTER_LINEAR, cv2.INTER_CUBIC)
    down = cv2.resize(rgb, (small, small), interpolation=ways[rng.integers(3)])
    return np.asarray(cv2.resize(down, (side, side), interpolation=ways[rng.integers(1, 3)]), np.uint8)


def _noisy(rgb: Rgb, rng: Rng) -> Rgb:
    noise = rng.normal(0, rng.uniform(2, 8), rgb.shape)
    return np.clip(rgb + noise, 0, 255).astype(np.uint8)
