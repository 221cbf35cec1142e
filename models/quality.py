"""What speaks against judging a face: each gate answers with a reason from the verdict's vocabulary.

None answers `animation_or_art` or `out_of_distribution`: nothing measured here tells drawings and unusual pictures
from the photographs the networks learned from, and there is no set of them to measure it on.

The crop looks alike at every source size once it is 256 px wide, so sharpness is only asked of faces that are large
enough; a small one already has its reason.
"""

from __future__ import annotations

import cv2
import numpy as np

from models import align, blocking
from models.types import Box, Floats, Rgb

SMALLEST_SIDE = 80.0  # px of the longer side of the face's box in the frame
LOW_RESOLUTION_SIDE = 240  # px: a picture or clip whose shorter side is below this
# Variance of the Laplacian over a crop scaled to 128 px: turns down 1 % of 2,500 genuine training crops.
SHARPNESS_SIDE, SHARPEST_BLUR = 128, 12.0
# Yaw of about 60 degrees: the eyes come closer to each other than this share of the eye-mouth distance. Of 13,756
# genuine training crops .4 % lie below; the portrait of the tests, wrapped around a cylinder and turned by 60 degrees,
# gave .56-.72 (dlib's landmarks draw every face towards the front: at half the distance nothing was ever found).
NARROWEST_EYES = 0.65
# The two landmark models agree within .06 eye distances on open faces and within .2 on 90 % of all.
WIDEST_STRAIN = 0.4
# Height over width of a face's box, if it comes within this share of its size of the picture's edge. Whole faces have
# 1.0-1.5; of one with a third hidden behind the edge .8 is left, or 2.0. Turns down 2 of 856 genuine faces.
AT_THE_EDGE, FLATTEST, NARROWEST = 0.03, 0.8, 2.0
# Grey levels between blocks, and the quantiser of H.264 (blocking.py, quantiser.py). Of 598 held-out faces at thirteen
# levels of compression (python -m models.evaluate.gates) those within both limits gave Blend an AUC of .87, those
# beyond .71. Turned down: none of the 299 genuine ones as they are (at most 1.0 %), none at JPEG 50 or CRF 28, 19 % at
# JPEG 20, 51 % at CRF 36, and none of 339 faces of 34 genuine clips.
HIGHEST_STEP, COARSEST = 5.0, 40.0


def reasons(crop: Rgb, box: Box, landmarks: Floats, strain: float | None) -> tuple[str, ...]:
    if max(box[2], box[3]) < SMALLEST_SIDE:
        return ("face_too_small",)
    found = []
    if sharpness(crop) < SHARPEST_BLUR:
        found.append("blurred")
    if (strain is not None and strain > WIDEST_STRAIN) or eye_share(landmarks) < NARROWEST_EYES:
        found.append("occluded_or_profile")
    return tuple(found)


def cut_off(box: Box, width: int, height: int) -> tuple[str, ...]:
    """Finder and landmark model both make up a whole face from half of one; only the box's shape tells."""
    x, y, wide, high = box
    near = AT_THE_EDGE * max(wide, high)
    touches = x <= near or y <= near or x + wide >= width - near or y + high >= height - near
    whole = FLATTEST <= high / wide <= NARROWEST
    return ("occluded_or_profile",) if touches and not whole else ()


def compression(rgb: Rgb, box: Box, quantiser: float | None) -> tuple[str, ...]:
    """Of the whole frame, unscaled: crops no longer show the grid of the blocks."""
    coarse = quantiser is not None and quantiser > COARSEST
    return ("heavy_compression",) if coarse or blocking.step(rgb, box) > HIGHEST_STEP else ()


def sharpness(crop: Rgb) -> float:
    grey = cv2.cvtColor(crop, cv2.COLOR_RGB2GRAY)
    small = cv2.resize(grey, (SHARPNESS_SIDE, SHARPNESS_SIDE), interpolation=cv2.INTER_AREA)
    return float(cv2.Laplacian(small, cv2.CV_64F).var())


def eye_share(landmarks: Floats) -> float:
    """Eye distance over eye-mouth distance: about 1 from the front, towards 0 in profile."""
    left, right, mouth = (landmarks[part].mean(axis=0) for part in (align.LEFT_EYE, align.RIGHT_EYE, align.MOUTH))
    down = float(np.hypot(*(mouth - (left + right) / 2)))
    return float(np.hypot(*(right - left))) / max(down, 1.0)


def low_resolution(width: int, height: int) -> bool:
    return min(width, height) < LOW_RESOLUTION_SIDE
