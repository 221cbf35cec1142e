"""What speaks against judging a face: each gate answers with a reason from the verdict's vocabulary.

The crop looks alike at every source size once it is 256 px wide, so sharpness is only asked of faces that are large
enough; a small one already has its reason.
"""

from __future__ import annotations

import cv2
import numpy as np

from models import align
from models.types import Box, Floats, Rgb

SMALLEST_SIDE = 80.0  # px of the longer side of the face's box in the frame
LOW_RESOLUTION_SIDE = 240  # px: a picture or clip whose shorter side is below this
# Variance of the Laplacian over a crop scaled to 128 px: turns down 1 % of 2,500 genuine training crops.
SHARPNESS_SIDE, SHARPEST_BLUR = 128, 12.0
# Yaw of about 55 degrees: the eyes come closer to each other than this share of the eye-mouth distance.
NARROWEST_EYES = 0.5
# The two landmark models agree within .06 eye distances on open faces and within .2 on 90 % of all.
WIDEST_STRAIN = 0.4


def reasons(crop: Rgb, box: Box, landmarks: Floats, strain: float | None) -> tuple[str, ...]:
    if max(box[2], box[3]) < SMALLEST_SIDE:
        return ("face_too_small",)
    found = []
    if sharpness(crop) < SHARPEST_BLUR:
        found.append("blurred")
    if (strain is not None and strain > WIDEST_STRAIN) or eye_share(landmarks) < NARROWEST_EYES:
        found.append("occluded_or_profile")
    return tuple(found)


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
