"""How blocky a face is: the steps that strong compression leaves at the edges of the 8-pixel blocks it works in.

Told from the pixels, so it holds for whatever a picture is wrapped in now: a JPEG saved as PNG, an old clip in a new
container. Blocks that were scaled since, and those that H.264 and its successors smooth over, it does not see.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from models.types import Box, Floats, Rgb

BLOCK = 8
FEWEST = 4  # blocks a side, to measure by


def step(rgb: Rgb, box: Box) -> float:
    """Grey levels by which neighbours differ more across the edges of blocks than beside them, within `box`.

    The grid may start anywhere: a picture may have been cropped or turned after it was compressed.
    """
    x, y, width, height = box
    left, top = max(0, round(x)), max(0, round(y))
    seen = rgb[top : max(top, round(y + height)), left : max(left, round(x + width))]
    if min(seen.shape[:2]) <= FEWEST * BLOCK:
        return 0.0
    grey = cv2.cvtColor(np.ascontiguousarray(seen), cv2.COLOR_RGB2GRAY).astype(np.float32)
    return (
        _highest(np.abs(np.diff(grey, axis=1)).mean(axis=0)) + _highest(np.abs(np.diff(grey, axis=0)).mean(axis=1))
    ) / 2


def _highest(steps: Floats) -> float:
    """Of the eight places a block may begin at: how far its steps lie above those to either side."""
    whole = len(steps) // BLOCK * BLOCK
    places: NDArray[np.float32] = steps[:whole].reshape(-1, BLOCK).mean(axis=0)
    return float((places - (np.roll(places, 1) + np.roll(places, -1)) / 2).max())
