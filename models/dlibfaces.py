"""face_recognition's own finders: HOG, and a network that is made for CUDA. Options beside CenterFace.

Neither tells points of the face, so that a covered face is only turned down by the landmarks' own shape.
"""

from __future__ import annotations

import logging
from functools import cache

import cv2
import numpy as np

from models import landmarks
from models.types import Found, Rgb

log = logging.getLogger(__name__)

# The least face they see has 80 pixels.
FIRST_SIDE, SECOND_SIDE = 640, 1280


def hog(rgb: Rgb, threads: int = 1) -> list[Found]:
    """Fast, frontal faces only. dlib uses one thread whatever is asked for."""
    return _find(rgb, "hog")


def cnn(rgb: Rgb, threads: int = 1) -> list[Found]:
    _warn_without_cuda()
    return _find(rgb, "cnn")


def _find(rgb: Rgb, model: str) -> list[Found]:
    found = _find_at(rgb, model, FIRST_SIDE)
    return found or (_find_at(rgb, model, SECOND_SIDE) if max(rgb.shape[:2]) > FIRST_SIDE else [])


def _find_at(rgb: Rgb, model: str, side: int) -> list[Found]:
    """In a picture made smaller where it is larger than `side`; never made larger: such faces are not judged."""
    scale = min(1.0, side / max(rgb.shape[:2]))
    small = rgb if scale == 1 else cv2.resize(rgb, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    squares = landmarks.squares(np.asarray(small, np.uint8), model)
    return [Found(landmarks.box_of((x / scale, y / scale, w / scale, h / scale)), 1.0, None) for x, y, w, h in squares]


@cache
def _warn_without_cuda() -> None:
    import dlib

    if not dlib.DLIB_USE_CUDA:
        log.warning(
            "dlib is built without CUDA here: the face finder cnn takes seconds a frame. Take centerface or hog."
        )
