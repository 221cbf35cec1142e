"""68 landmarks and the identity vector of a face, by face_recognition (dlib).

The 68-point model was trained on iBUG 300-W, whose licence excludes commercial use: see README and the model cards.
"""

from __future__ import annotations

import threading
import warnings
from functools import cache
from types import ModuleType

import numpy as np

from models.types import Box, Floats, Rgb

SAME_PERSON = 0.6  # dlib's own limit for its 128-d vectors (99.38 % on LFW)

# dlib's landmark model expects the square of dlib's own finders. Median distance to CenterFace's points over 280 crops:
# .055 eye distances with this one, .061 with a square further down by a tenth.
DLIB_SIDE, DLIB_DOWN = 0.95, 0.05
FACE_ASPECT = 0.76  # width over height of a face's box: CenterFace's median over 17 clips

_loading = threading.Lock()
_encoding = threading.Lock()  # dlib's network keeps its layers' outputs in itself
_finding = threading.Lock()  # and so do its finders


def landmarks(rgb: Rgb, box: Box) -> Floats:
    """dlib's 68 points, (68, 2), in pixels of `rgb`. Points exist for any box, also where there is no face."""
    parts = _library().face_landmarks(rgb, [_css(box)])[0]
    top, bottom = parts["top_lip"], parts["bottom_lip"]
    # face_recognition hands the lips out as two closed outlines that share their corners; this is dlib's order again.
    lips = [*top[:7], *bottom[1:6], *reversed(top[7:]), *reversed(bottom[8:11])]
    order = ("chin", "left_eyebrow", "right_eyebrow", "nose_bridge", "nose_tip", "left_eye", "right_eye")
    return np.array([point for part in order for point in parts[part]] + lips, np.float32)


def identity(rgb: Rgb, box: Box) -> Floats:
    """A 128-d vector; two of one person lie closer than `SAME_PERSON`."""
    library = _library()
    with _encoding:
        return np.asarray(library.face_encodings(rgb, [_css(box)])[0], np.float32)


def squares(rgb: Rgb, model: str) -> list[Box]:
    """The faces that face_recognition's own finder `model` (hog or cnn) sees, as the squares dlib works with."""
    library = _library()
    with _finding:
        found = library.face_locations(np.ascontiguousarray(rgb), 0, model)
    return [(left, top, right - left, bottom - top) for top, right, bottom, left in found]


def square_of(box: Box) -> Box:
    """dlib's square for a face's box."""
    x, y, width, height = box
    side = DLIB_SIDE * (width + height) / 2
    return (x + (width - side) / 2, y + (height - side) / 2 + DLIB_DOWN * height, side, side)


def box_of(square: Box) -> Box:
    """The face's box for dlib's square: the way back."""
    x, y, wide, high = square
    height = (wide + high) / DLIB_SIDE / (1 + FACE_ASPECT)
    width = FACE_ASPECT * height
    return (x + (wide - width) / 2, y + (high - height) / 2 - DLIB_DOWN * height, width, height)


def warm() -> None:
    _library()


def _css(box: Box) -> tuple[int, int, int, int]:
    x, y, width, height = box
    return round(y), round(x + width), round(y + height), round(x)


def _library() -> ModuleType:
    with _loading:
        return _import()


@cache
def _import() -> ModuleType:
    from PIL import ImageFile

    strict = ImageFile.LOAD_TRUNCATED_IMAGES
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # face_recognition_models still imports pkg_resources
        import face_recognition
    # It lets Pillow pass off half a picture as a whole one, in the whole process.
    ImageFile.LOAD_TRUNCATED_IMAGES = strict
    module: ModuleType = face_recognition
    return module
