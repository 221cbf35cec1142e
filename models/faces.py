"""The faces of one frame: a finder finds, face_recognition describes, `align` cuts, `quality` judges."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from models import align, centerface, landmarks, quality
from models.types import Box, Face, Floats, Found, Frame, Rgb

CROP_SIDE = align.CROP_SIDE

Find = Callable[[Rgb, int], list[Found]]  # (rgb, threads): one of registry.FINDERS


@dataclass(frozen=True)
class Located:
    """A face before it is cut out. `strain`: distance between the finder's points and dlib's, in eye distances."""

    box: Box
    confidence: float
    landmarks: Floats
    strain: float | None  # None: the finder tells no points


# A crop is 196 KB: sixty frames of a crowd would hold half a gigabyte.
MOST_IN_PICTURE, MOST_IN_FRAME = centerface.MOST_FACES, 8


def find(frame: Frame, most: int = MOST_IN_PICTURE, threads: int = 1, finder: Find = centerface.find) -> list[Face]:
    """The largest faces of a frame, each with its aligned crop and what speaks against using it."""
    return [_face(frame, located) for located in locate(frame.rgb, most, threads, finder)]


def locate(rgb: Rgb, most: int = MOST_IN_PICTURE, threads: int = 1, finder: Find = centerface.find) -> list[Located]:
    found = sorted(finder(rgb, threads), key=lambda face: -face.box[2] * face.box[3])
    return [_describe(rgb, face) for face in found[:most]]


def warm(threads: int = 1, finder: Find = centerface.find) -> None:
    """Load finder and landmark model."""
    locate(np.zeros((64, 64, 3), np.uint8), 1, threads, finder)
    landmarks.warm()


def identity(rgb: Rgb, face: Face) -> Floats:
    return landmarks.identity(rgb, landmarks.square_of(face.box))


def _describe(rgb: Rgb, found: Found) -> Located:
    points = landmarks.landmarks(rgb, landmarks.square_of(found.box))
    return Located(found.box, found.confidence, points, None if found.points is None else _strain(points, found.points))


def _strain(points: Floats, seen: Floats) -> float:
    five = np.stack([points[36:42].mean(axis=0), points[42:48].mean(axis=0), points[30], points[48], points[54]])
    apart = max(float(np.hypot(*(seen[1] - seen[0]))), 1.0)
    return float(np.abs(five - seen).mean()) / apart


def _face(frame: Frame, located: Located) -> Face:
    square = align.square_of_landmarks(located.landmarks)
    crop = align.crop(frame.rgb, square)
    height, width = frame.rgb.shape[:2]
    reasons = (
        *quality.reasons(crop, located.box, located.landmarks, located.strain),
        *quality.cut_off(located.box, width, height),
        *quality.compression(frame.rgb, located.box, frame.quantiser),
    )
    return Face(frame.t, located.box, located.confidence, crop, located.landmarks, tuple(dict.fromkeys(reasons)))
