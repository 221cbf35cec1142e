"""A genuine face pasted onto itself: fakes made of real pictures alone, with the mask of where they were altered.

After the published idea of self-blended images (Shiohara & Yamasaki 2022). One of two copies of a face is disturbed,
moved a little, and blended into the other under a hull of its landmarks. What can be learned from such a pair is the
seam and the mismatch that every swap leaves behind, not the look of one swapping method.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from models.training.augment import recompressed
from models.types import Floats, Rgb

Rng = np.random.Generator
Mask = NDArray[np.float32]

_JAW, _BROWS, _NOSE, _EYES, _MOUTH = range(17), range(17, 27), range(27, 36), range(36, 48), range(48, 68)
# Which points span the hull. Variety of hulls is worth more than anything else here (10 points of AUC as published).
HULLS: dict[str, tuple[int, ...]] = {
    "face": (*_JAW, *_BROWS),
    "face and forehead": (*_JAW, *_BROWS),
    "inner face": (*_BROWS, *_NOSE, *_EYES, *_MOUTH),
    "lower face": (*range(2, 15), *_NOSE, *_MOUTH),
    "below the nose": (*range(4, 13), *range(31, 36), *_MOUTH),
    "eyes and nose": (*_BROWS, *_NOSE, *_EYES),
    "eyes": (*_BROWS, *_EYES, 28),
    "mouth": tuple(_MOUTH),
}
_CHANCES = (0.25, 0.2, 0.2, 0.1, 0.05, 0.08, 0.05, 0.07)
RATIOS = (0.25, 0.5, 0.75, 1.0, 1.0, 1.0)  # how much of the source shows in the middle of the mask
MOST_WIDENED = 0.03  # a mouth's hull grows by this share of the side: lip-sync alters the chin too


@dataclass(frozen=True)
class Pair:
    """Two pictures of one size. `genuine` may be disturbed too, but as a whole; `mask` in [0, 1] is fake's share."""

    fake: Rgb
    genuine: Rgb
    mask: Mask


def self_blend(rgb: Rgb, landmarks: Floats, rng: Rng) -> Pair:
    """`landmarks`: dlib's 68 points in pixels of `rgb`. Outside the hull both pictures of the pair are equal."""
    side = rgb.shape[0]
    disturbed = _disturbed(rgb, rng)
    source, target = (disturbed, rgb) if rng.random() < 0.5 else (rgb, disturbed)
    return _blended(source, target, _shift(rng, side), landmarks, rng)


def swapped(donor: Rgb, donor_landmarks: Floats, rgb: Rgb, landmarks: Floats, rng: Rng) -> Pair:
    """Another person's face in place of this one, in this one's colours: a swap without a network."""
    onto, _ = cv2.estimateAffinePartial2D(donor_landmarks[17:], landmarks[17:], method=cv2.LMEDS)
    if onto is None:
        return self_blend(rgb, landmarks, rng)
    return _blended(donor, rgb, np.asarray(onto, np.float64), landmarks, rng, recolour=True)


def hull(landmarks: Floats, side: int, rng: Rng, name: str | None = None) -> NDArray[np.uint8]:
    """0 or 1 over (side, side): a convex hull of some landmarks, its corners shaken and its edge bent."""
    name = name or str(rng.choice(list(HULLS), p=_CHANCES))
    points = landmarks.astype(np.float64).copy()
    if name == "face and forehead":
        points[17:27, 1] -= rng.uniform(0.15, 0.45) * (points[8, 1] - points[19:25, 1].min())
    corners = points[list(HULLS[name])] + rng.normal(0, 0.01 * side, (len(HULLS[name]), 2))
    filled = np.zeros((side, side), np.uint8)
    cv2.fillConvexPoly(filled, cv2.convexHull(np.round(corners).astype(np.int32)), (1,))
    if name == "mouth":
        wide = 2 * int(rng.uniform(0.2, 1) * MOST_WIDENED * side) + 1
        filled = np.asarray(cv2.dilate(filled, np.ones((wide, wide), np.uint8)), np.uint8)
    return _bent(filled, rng) if rng.random() < 0.7 else filled


def _blended(
    source: Rgb, target: Rgb, onto: NDArray[np.float64], landmarks: Floats, rng: Rng, recolour: bool = False
) -> Pair:
    side = target.shape[0]
    area = hull(landmarks, side, rng)
    mask = _softened(area, rng)
    source = np.asarray(cv2.warpAffine(source, onto, (side, side), borderMode=cv2.BORDER_REFLECT_101), np.uint8)
    if recolour:
        source = _in_colours_of(target, source, area)
    share = mask[..., None]
    mixed = source * share + target * (1 - share)
    return Pair(np.round(mixed).astype(np.uint8), target, mask)


def _softened(area: NDArray[np.uint8], rng: Rng) -> Mask:
    """Blurred twice, inwards: nothing outside the area is touched."""
    side = area.shape[0]
    first, second = rng.uniform(0.003, 0.03) * side, rng.uniform(0.003, 0.03) * side
    inner = area if rng.random() < 0.2 else cv2.erode(area, np.ones((2 * int(first) + 1,) * 2, np.uint8))
    mask = cv2.GaussianBlur(np.asarray(inner, np.float32), (0, 0), first)
    if rng.random() < 0.5:
        mask = (mask > rng.uniform(0.3, 0.7)).astype(np.float32)
    mask = np.minimum(cv2.GaussianBlur(mask, (0, 0), second), 1.0) * area
    return np.asarray(mask * rng.choice(RATIOS), np.float32)


def _bent(area: NDArray[np.uint8], rng: Rng) -> NDArray[np.uint8]:
    side = area.shape[0]
    coarse = rng.normal(0, 0.02 * side, (2, 5, 5)).astype(np.float32)
    dx, dy = (cv2.resize(part, (side, side), interpolation=cv2.INTER_CUBIC) for part in coarse)
    y, x = np.mgrid[:side, :side].astype(np.float32)
    return np.asarray(cv2.remap(area, x + dx, y + dy, cv2.INTER_NEAREST), np.uint8)


def _shift(rng: Rng, side: int) -> NDArray[np.float64]:
    """A few percent aside, larger or smaller, a little turned."""
    turned = cv2.getRotationMatrix2D((side / 2, side / 2), rng.uniform(-2, 2), rng.uniform(0.95, 1.05))
    matrix = np.asarray(turned, np.float64)
    matrix[:, 2] += np.array([rng.uniform(-0.03, 0.03), rng.uniform(-0.015, 0.015)]) * side
    return matrix


def _disturbed(rgb: Rgb, rng: Rng) -> Rgb:
    """Colour, then coarser or sharper, then perhaps its own compression: what a swapped-in face brings along."""
    levels = np.arange(256, dtype=np.float64)[:, None].repeat(3, axis=1)
    if rng.random() < 0.5:
        levels += rng.uniform(-20, 20, 3)
    if rng.random() < 0.5:
        levels = (levels - 128) * rng.uniform(0.85, 1.15) + 128 + rng.uniform(-20, 20)
    rgb = np.asarray(cv2.LUT(rgb, np.clip(levels, 0, 255).astype(np.uint8)[None]), np.uint8)
    if rng.random() < 0.4:
        rgb = _hue_shifted(rgb, rng)
    kind = rng.random()
    if kind < 0.45:
        rgb = _coarser(rgb, rng)
    elif kind < 0.75:
        soft = cv2.GaussianBlur(rgb, (0, 0), rng.uniform(0.8, 2.0))
        amount = rng.uniform(0.3, 1.2)
        rgb = np.asarray(cv2.addWeighted(rgb, 1 + amount, soft, -amount, 0), np.uint8)
    return recompressed(rgb, int(rng.integers(40, 95))) if rng.random() < 0.3 else rgb


def _coarser(rgb: Rgb, rng: Rng) -> Rgb:
    side, small = rgb.shape[0], int(rgb.shape[0] * rng.uniform(0.3, 0.9))
    ways = (cv2.INTER_AREA, cv2.INTER_LINEAR, cv2.INTER_CUBIC)
    down = cv2.resize(rgb, (small, small), interpolation=ways[rng.integers(3)])
    return np.asarray(cv2.resize(down, (side, side), interpolation=ways[rng.integers(1, 3)]), np.uint8)


def _hue_shifted(rgb: Rgb, rng: Rng) -> Rgb:
    hsv = cv2.cvtColor(rgb, cv2.COLOR_RGB2HSV)
    steps = np.arange(256)
    table = np.stack(
        [
            (steps + rng.integers(-8, 9)) % 180,
            np.clip(steps * rng.uniform(0.7, 1.3), 0, 255),
            steps,
        ],
        axis=1,
    )
    shifted = np.asarray(cv2.LUT(hsv, table.astype(np.uint8)[None]), np.uint8)
    return np.asarray(cv2.cvtColor(shifted, cv2.COLOR_HSV2RGB), np.uint8)


def _in_colours_of(target: Rgb, source: Rgb, area: NDArray[np.uint8]) -> Rgb:
    """Mean and spread of each colour within the area, as the target has them there."""
    if not area.any():
        return source
    of_source, source_spread = (part[:, 0] for part in cv2.meanStdDev(source, mask=area))
    of_target, target_spread = (part[:, 0] for part in cv2.meanStdDev(target, mask=area))
    gain = np.clip(target_spread / np.maximum(source_spread, 1.0), 0.5, 2.0)
    levels = (np.arange(256)[:, None] - of_source) * gain + of_target
    return np.asarray(cv2.LUT(source, np.clip(levels, 0, 255).astype(np.uint8)[None]), np.uint8)
