"""What happens to a picture on its way through the web, one named change at a time; to a clip, frame by frame."""

from __future__ import annotations

import io
from collections.abc import Callable
from functools import partial

import av
import cv2
import numpy as np

from models.training.augment import recompressed
from models.types import Rgb

Change = Callable[[Rgb], Rgb]

SCREEN = 0.73  # a page shows a picture smaller than it is, by no whole number


def half_size(rgb: Rgb) -> Rgb:
    return _scaled(rgb, 0.5, cv2.INTER_AREA)


def h264(rgb: Rgb, crf: int = 35) -> Rgb:
    """One key frame of H.264; its sides are even, so the last odd row and column go."""
    even = np.ascontiguousarray(rgb[: rgb.shape[0] // 2 * 2, : rgb.shape[1] // 2 * 2])
    held = io.BytesIO()
    with av.open(held, "w", format="matroska") as container:
        stream = container.add_stream("libx264", rate=1)
        stream.height, stream.width = even.shape[:2]
        stream.pix_fmt = "yuv420p"
        stream.options = {"crf": str(crf), "preset": "veryfast"}
        container.mux(stream.encode(av.VideoFrame.from_ndarray(even, format="rgb24")))
        container.mux(stream.encode())
    held.seek(0)
    with av.open(held, "r") as made:
        return np.asarray(next(made.decode(video=0)).to_ndarray(format="rgb24"), np.uint8)


def screenshot(rgb: Rgb) -> Rgb:
    """Shown smaller, captured, saved as JPEG."""
    return recompressed(_scaled(rgb, SCREEN, cv2.INTER_LINEAR), 85)


def smoothed(rgb: Rgb) -> Rgb:
    """A beauty filter."""
    return np.asarray(cv2.bilateralFilter(rgb, 9, 40, 7), np.uint8)


CHANGES: dict[str, Change] = {
    "JPEG 50": partial(recompressed, quality=50),
    "JPEG 70": partial(recompressed, quality=70),
    "WebP 50": partial(recompressed, quality=50, kind="webp"),
    "half size": half_size,
    "H.264 CRF 35": h264,
    "screenshot": screenshot,
    "smoothing": smoothed,
}


def _scaled(rgb: Rgb, factor: float, how: int) -> Rgb:
    return np.asarray(cv2.resize(rgb, None, fx=factor, fy=factor, interpolation=how), np.uint8)
