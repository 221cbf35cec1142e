"""The one cut from a picture to the crop a detector sees: training, evaluation and serving all come through here.

A crop that is not the crop of training turns genuine faces into false alarms (AUC .68 fell to .60 when the box grew
by a quarter), so nothing else in Unmask cuts a face out of a picture.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from models.types import Box, Floats, Rgb

CROP_SIDE = 256

# Afchar et al. 2018: a square of 2.2 times the larger of eye distance and eye-mouth distance, widened by 1.3.
FACE_SPAN = 2.2
WIDENED = 1.3
BOX_TO_SQUARE = 1.0

# Every face keeps one aligned crop, and each detector's is cut from it: the tight boxes of face_recognition's finder,
# 224 pictures of six sets, are squares of .76 of it (.63-.88) whose middle lies .02 higher. So it holds a box widened
# by up to a third; keeping more (320 px) would hold 307 KB a face in place of 196.
TIGHT, TIGHT_UP = 0.76, 0.017
WIDEST_MARGIN = 1.33

LEFT_EYE, RIGHT_EYE, MOUTH = slice(36, 42), slice(42, 48), slice(48, 68)


@dataclass(frozen=True)
class Square:
    """Where a crop lies in the picture: centre and side in pixels, angle of the eye line in radians."""

    x: float
    y: float
    side: float
    angle: float

    def widened(self, factor: float) -> Square:
        return replace(self, side=self.side * factor)


def square_of_landmarks(landmarks: Floats) -> Square:
    """`landmarks`: dlib's 68 points, (68, 2), in pixels."""
    left, right, mouth = (landmarks[part].mean(axis=0) for part in (LEFT_EYE, RIGHT_EYE, MOUTH))
    eyes = (left + right) / 2
    across, down = right - left, mouth - eyes
    side = FACE_SPAN * WIDENED * max(float(np.hypot(*across)), float(np.hypot(*down)))
    x, y = (eyes + mouth) / 2
    return Square(float(x), float(y), side, float(np.arctan2(across[1], across[0])))


def square_of_box(box: Box) -> Square:
    """For a picture whose landmarks cannot be had: upright, around the box."""
    x, y, width, height = box
    return Square(x + width / 2, y + height / 2, BOX_TO_SQUARE * max(width, height), 0.0)


def crop(rgb: Rgb, square: Square, side: int = CROP_SIDE) -> Rgb:
    """The square turned upright as (side, side, 3); what lies outside the picture is mirrored into it."""
    source, square = _near(rgb, square)
    if square.side > 2 * side:  # warping samples four pixels: shrink by area first, or the crop aliases
        factor = side / square.side
        source = np.asarray(cv2.resize(source, None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA), np.uint8)
        square = Square(square.x * factor, square.y * factor, side, square.angle)
    warped = cv2.warpAffine(
        source, _to_crop(square, side), (side, side), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT_101
    )
    return np.asarray(warped, np.uint8)


def to_crop(points: Floats, square: Square, side: int = CROP_SIDE) -> Floats:
    """Points of the picture, (n, 2), in pixels of the crop that `square` gives."""
    matrix = _to_crop(square, side)
    return np.asarray(points @ matrix[:, :2].T + matrix[:, 2], np.float32)


def narrowed(aligned: Rgb, margin: float, side: int) -> Rgb:
    """A detector's crop out of the aligned one: `margin` times the tight box, scaled to `side`."""
    kept = aligned.shape[0]
    if margin >= WIDEST_MARGIN and kept == side:
        return aligned
    share = min(1.0, margin * TIGHT)
    up = min(TIGHT_UP, (1 - share) / 2)
    return crop(aligned, Square(kept / 2, kept * (0.5 - up), kept * share, 0.0), side)


def widened(heat: Floats, margin: float, side: int = 64) -> Floats:
    """A map over a narrowed crop as a map over the aligned one, 0 where the detector saw nothing."""
    share = min(1.0, margin * TIGHT)
    inner = round(side * share)
    left = round(side * (1 - share) / 2)
    top = round(side * ((1 - share) / 2 - min(TIGHT_UP, (1 - share) / 2)))
    whole = np.zeros((side, side), np.float32)
    whole[top : top + inner, left : left + inner] = cv2.resize(heat, (inner, inner), interpolation=cv2.INTER_LINEAR)
    return whole


def _near(rgb: Rgb, square: Square) -> tuple[Rgb, Square]:
    """The part of the picture the square can reach, so that a small face in a large frame costs little."""
    reach = square.side * 0.75  # half a diagonal is .71 of the side
    height, width = rgb.shape[:2]
    left, top = max(0, int(square.x - reach)), max(0, int(square.y - reach))
    right, bottom = min(width, int(square.x + reach) + 2), min(height, int(square.y + reach) + 2)
    if right - left < 2 or bottom - top < 2:
        return rgb, square
    return rgb[top:bottom, left:right], Square(square.x - left, square.y - top, square.side, square.angle)


def _to_crop(square: Square, side: int) -> NDArray[np.float64]:
    scale = side / max(square.side, 1.0)
    cos, sin = np.cos(square.angle) * scale, np.sin(square.angle) * scale
    return np.array(
        [
            [cos, sin, side / 2 - cos * square.x - sin * square.y],
            [-sin, cos, side / 2 + sin * square.x - cos * square.y],
        ]
    )
