"""The one cut from a picture to the crop a detector sees: training, evaluation and serving all come through here.

A crop that is not the crop of training turns genuine faces into false alarms (AUC .68 fell to .60 when the box grew
by a quarter), so nothing else in Unmask cuts a face out of a picture.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from models.types import Box, Floats, Rgb

CROP_SIDE = 256

# Afchar et al. 2018: a square of 2.2 times the larger of eye distance and eye-mouth distance, widened by 1.3.
FACE_SPAN = 2.2
WIDENED = 1.3
BOX_TO_SQUARE = 1.0

LEFT_EYE, RIGHT_EYE, MOUTH = slice(36, 42), slice(42, 48), slice(48, 68)


@dataclass(frozen=True)
class Square:
    """Where a crop lies in the picture: centre and side in pixels, angle of the eye line in radians."""

    x: float
    y: float
    side: float
    angle: float


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
