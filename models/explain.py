"""Evidence a person can look at: the face as the detectors saw it, and the same face under a detector's heatmap."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from models.types import Floats, Rgb

JPEG_QUALITY = 88
MOST_COLOUR = 0.55  # the face stays recognisable under the hottest spot


def face_jpeg(rgb: Rgb) -> bytes:
    return _jpeg(cv2.cvtColor(rgb, cv2.COLOR_RGB2BGR))


def heatmap_jpeg(rgb: Rgb, heat: Floats) -> bytes:
    """`heat`: (h, w) in [0, 1], any size. Cold places keep the face's own colours."""
    height, width = rgb.shape[:2]
    wide = np.clip(cv2.resize(heat, (width, height), interpolation=cv2.INTER_CUBIC), 0, 1)
    colours = cv2.applyColorMap((wide * 255).astype(np.uint8), cv2.COLORMAP_INFERNO)
    share = (wide * MOST_COLOUR)[..., None]
    mixed = cv2.cvtColor(rgb, cv2.COLOR_RGB2BGR) * (1 - share) + colours * share
    return _jpeg(mixed.astype(np.uint8))


def _jpeg(bgr: NDArray[np.uint8] | cv2.typing.MatLike) -> bytes:
    _, data = cv2.imencode(".jpg", bgr, [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY])
    return data.tobytes()
