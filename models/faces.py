"""The faces of one frame: CenterFace finds, face_recognition describes, `align` cuts, `quality` judges."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from models import align, centerface, landmarks, quality
from models.types import Box, Face, Floats, Frame, Rgb

CROP_SIDE = align.CROP_SIDE

# dlib's landmark model expects the square of its own finder. Median distance to CenterFace's points over 280 crops:
# .055 eye distances with this one, .061 with a square further down by a tenth.
DLIB_SIDE, DLIB_DOWN = 0.95, 0.05


@dataclass(frozen=True)
class Located:
    """A face before it is cut out. `strain`: distance between CenterFace's points and dlib's, in eye distances."""

    box: Box
    confidence: float
    landmarks: Floats
    strain: float


# A crop is 196 KB: sixty frames of a crowd would hold half a gigabyte.
MOST_IN_PICTURE, MOST_IN_FRAME = centerface.MOST_FACES, 8


def find(frame: Frame, most: int = MOST_IN_PICTURE, threads: int = 1) -> list[Face]:
    """The largest faces of a frame, each with its aligned crop and what speaks against using it."""
    return [_face(frame, located) for located in locate(frame.rgb, most, threads)]


def locate(rgb: Rgb, most: int = MOST_IN_PICTURE, threads: int = 1) -> list[Located]:
    found = sorted(centerface.find(rgb, threads), key=lambda face: -face.box[2] * face.box[3])
    return [_describe(rgb, face) for face in found[:most]]


def warm(threads: int = 1) -> None:
    """Load finder and landmark model."""
    locate(np.zeros((64, 64, 3), np.uint8), 1, threads)
    landmarks.warm()


def identity(rgb: Rgb, face: Face) -> Floats:
    return landmarks.identity(rgb, _dlib_box(face.box))


def _describe(rgb: Rgb, found: centerface.Found) -> Located:
    points = landmarks.landmarks(rgb, _dlib_box(found.box))
    five = np.stack([points[36:42].mean(axis=0), points[42:48].mean(axis=0), points[30], points[48], points[54]])
    apart = max(float(np.hypot(*(found.points[1] - found.points[0]))), 1.0)
    return Located(found.box, found.confidence, points, float(np.abs(five - found.points).mean()) / apart)


def _face(frame: Frame, located: Located) -> Face:
    square = align.square_of_landmarks(located.landmarks)
    crop = align.crop(frame.rgb, square)
    reasons = quality.reasons(crop, located.box, located.landmarks, located.strain)
    return Face(frame.t, located.box, located.confidence, crop, located.landmarks, reasons)


def _dlib_box(box: Box) -> Box:
    x, y, width, height = box
    side = DLIB_SIDE * (width + height) / 2
    return (x + (width - side) / 2, y + (height - side) / 2 + DLIB_DOWN * height, side, side)
