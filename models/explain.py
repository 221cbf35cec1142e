"""Evidence a person can look at: the face as the detectors saw it, the same under a detector's heatmap, the frame."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from models.types import Floats, Rgb, ShownFrame

JPEG_QUALITY, FRAME_QUALITY = 88, 75
FRAME_SIDE = 640  # of a whole frame: enough to recognise the scene, at about 40 kB
MOST_COLOUR = 0.55  # the face stays recognisable under the hottest spot


def face_jpeg(rgb: Rgb) -> bytes:
    return _jpeg(cv2.cvtColor(rgb, cv2.COLOR_RGB2BGR))


def heatmap_jpeg(rgb: Rgb, heat: Floats) -> bytes:
    """`heat`: (h, w) in [0, 1], any size. Cold places keep the face's own colours."""
    height, width = rgb.shape[:2]
    wide = np.clip(cv2.resize(heat, (width, height), interpolation=cv2.INTER_CUBIC), 0, 1)
    colours = _colours(wide)
    share = (wide * MOST_COLOUR)[..., None]
    mixed = cv2.cvtColor(rgb, cv2.COLOR_RGB2BGR) * (1 - share) + colours * share
    return _jpeg(mixed.astype(np.uint8))


def map_jpeg(values: Floats) -> bytes:
    """`values`: (h, w), shown from 0 (dark) to 1 (bright) in the colours of the heatmaps."""
    return _jpeg(_colours(np.clip(values, 0, 1)), FRAME_QUALITY)


def small_frame(rgb: Rgb) -> ShownFrame:
    height, width = rgb.shape[:2]
    scale = min(1.0, FRAME_SIDE / max(height, width))
    size = max(1, round(width * scale)), max(1, round(height * scale))
    small = cv2.resize(rgb, size, interpolation=cv2.INTER_AREA)
    return ShownFrame(_jpeg(cv2.cvtColor(small, cv2.COLOR_RGB2BGR), FRAME_QUALITY), width, height)


def _colours(values: Floats | cv2.typing.MatLike) -> cv2.typing.MatLike:
    return cv2.applyColorMap((values * 255).astype(np.uint8), cv2.COLORMAP_INFERNO)


def _jpeg(bgr: NDArray[np.uint8] | cv2.typing.MatLike, quality: int = JPEG_QUALITY) -> bytes:
    _, data = cv2.imencode(".jpg", bgr, [cv2.IMWRITE_JPEG_QUALITY, quality])
    return data.tobytes()
