"""What the web does to a picture, done to both classes alike.

In the sets at hand the genuine faces are more often high-quality JPEG than the swapped ones: without the same
recompression, scaling and blur on both, a network learns the file and not the face.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from models.types import Rgb

Rng = np.random.Generator


def degrade(rgb: Rgb, rng: Rng, strength: float = 1.0) -> Rgb:
    """One random version of an aligned crop, of the same size; `strength` in [0, 1]."""
    return worn(_moved(rgb, rng, strength), rng, strength)


def worn(rgb: Rgb, rng: Rng, strength: float = 1.0) -> Rgb:
    """What happens to a picture's pixels on their way, without moving them."""
    if rng.random() < 0.4:
        rgb = _coloured(rgb, rng, strength)
    if rng.random() < 0.3 + 0.3 * strength:
        rgb = _rescaled(rgb, rng, strength)
    if rng.random() < 0.2 * strength:
        rgb = np.asarray(cv2.GaussianBlur(rgb, (0, 0), rng.uniform(0.4, 1.5)), np.uint8)
    if rng.random() < 0.1 * strength:
        rgb = _noisy(rgb, rng)
    if rng.random() < 0.9:
        rgb = recompressed(rgb, int(rng.integers(int(60 - 25 * strength), 97)), "webp" if rng.random() < 0.1 else "jpg")
    return rgb


def placement(stored: int, serving: float, side: int, margins: tuple[float, float], rng: Rng) -> NDArray[np.float64]:
    """Where to look within a stored crop, as a matrix (2, 3) from its pixels to those of a picture of `side`.

    `stored`: the crop's side, `serving`: the side of the serving crop within it. The part looked at is the serving crop
    wider or tighter by a factor within `margins`, shaken and turned as landmarks are from frame to frame, and mirrored
    left to right half of the time.
    """
    zoom = side / (serving * rng.uniform(*margins))
    matrix = np.asarray(cv2.getRotationMatrix2D((stored / 2, stored / 2), rng.normal(0, 3), zoom), np.float64)
    matrix[:, 2] += (side - stored) / 2 + rng.normal(0, 0.015 * side, 2)
    if rng.random() < 0.5:
        matrix[0] = -matrix[0]
        matrix[0, 2] += side - 1
    return matrix


def placed(rgb: Rgb, matrix: NDArray[np.float64], side: int) -> Rgb:
    return np.asarray(cv2.warpAffine(rgb, matrix, (side, side), borderMode=cv2.BORDER_REFLECT_101), np.uint8)


def recompressed(rgb: Rgb, quality: int, kind: str = "jpg") -> Rgb:
    """`kind`: jpg or webp."""
    flag = cv2.IMWRITE_JPEG_QUALITY if kind == "jpg" else cv2.IMWRITE_WEBP_QUALITY
    _, data = cv2.imencode(f".{kind}", cv2.cvtColor(rgb, cv2.COLOR_RGB2BGR), [flag, quality])
    bgr = np.asarray(cv2.imdecode(data, cv2.IMREAD_COLOR), np.uint8)
    return np.asarray(cv2.cvtColor(bgr, cv2.COLOR_BGR2RGB), np.uint8)


def _moved(rgb: Rgb, rng: Rng, strength: float) -> Rgb:
    """Landmarks shake from frame to frame; a serving crop is never exactly the crop of training."""
    side = rgb.shape[0]
    if rng.random() < 0.5:
        rgb = np.ascontiguousarray(rgb[:, ::-1])
    if rng.random() < 0.3:  # warping smooths: some crops stay as they are
        return rgb
    zoom = rng.uniform(1 - 0.08 * strength, 1 + 0.25 * strength)
    matrix = cv2.getRotationMatrix2D((side / 2, side / 2), rng.normal(0, 3 * strength), zoom)
    matrix[:, 2] = matrix[:, 2] + rng.normal(0, 0.02 * side * strength, 2)
    return np.asarray(cv2.warpAffine(rgb, matrix, (side, side), borderMode=cv2.BORDER_REFLECT_101), np.uint8)


def _coloured(rgb: Rgb, rng: Rng, strength: float) -> Rgb:
    contrast, brightness = 1 + strength * rng.uniform(-0.3, 0.3), strength * rng.uniform(-25, 25)
    tint = (1 + strength * rng.uniform(-0.08, 0.08, 3)) * contrast
    levels = np.arange(256, dtype=np.float64)[:, None] * tint + brightness + (1 - contrast) * 128
    table = np.clip(levels, 0, 255).astype(np.uint8)[None]
    return np.asarray(cv2.LUT(rgb, table), np.uint8)


def _rescaled(rgb: Rgb, rng: Rng, strength: float) -> Rgb:
    side = rgb.shape[0]
    small = int(side * rng.uniform(0.6 - 0.3 * strength, 0.95))
    ways = (cv2.INTER_AREA, cv2.INTER_LINEAR, cv2.INTER_CUBIC)
    down = cv2.resize(rgb, (small, small), interpolation=ways[rng.integers(3)])
    return np.asarray(cv2.resize(down, (side, side), interpolation=ways[rng.integers(1, 3)]), np.uint8)


def _noisy(rgb: Rgb, rng: Rng) -> Rgb:
    noise = rng.normal(0, rng.uniform(2, 8), rgb.shape)
    return np.clip(rgb + noise, 0, 255).astype(np.uint8)
