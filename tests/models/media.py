"""Small clips and pictures made in the test that needs them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np

from models.types import Floats, Rgb

TICK = Fraction(1, 1000)


def write_clip(
    path: Path,
    pictures: Iterable[Rgb],
    *,
    rate: int = 10,
    times: Sequence[float] | None = None,
    rotation: int = 0,
    gop: int = 250,
    codec: str = "libx264",
) -> Path:
    """`times` (seconds) makes the frame rate vary; `rotation` is counter-clockwise, as a phone notes it."""
    with av.open(str(path), "w") as container:
        stream = None
        for number, picture in enumerate(pictures):
            if stream is None:
                stream = container.add_stream(codec, rate=rate)
                stream.height, stream.width = picture.shape[:2]
                stream.pix_fmt = "yuv420p"
                stream.codec_context.gop_size = gop
                stream.codec_context.options = {"preset": "ultrafast"} if codec == "libx264" else {}
                stream.codec_context.time_base = TICK
                if rotation:
                    stream.set_display_rotation(rotation)
            frame = av.VideoFrame.from_ndarray(picture, format="rgb24")
            frame.pts = round((times[number] if times else number / rate) / TICK)
            frame.time_base = TICK
            container.mux(stream.encode(frame))
        assert stream is not None
        container.mux(stream.encode())
    return path


def stamped(number: int, height: int = 64, width: int = 96) -> Rgb:
    """A flat picture whose grey tells its number (0-50)."""
    return np.full((height, width, 3), number * 5, np.uint8)


def number_of(rgb: Rgb) -> int:
    return round(float(rgb.mean()) / 5)


def beside(left: Rgb, right: Rgb) -> Rgb:
    return np.ascontiguousarray(np.concatenate([left, right], axis=1))


def eyes_shut(rgb: Rgb, points: Floats) -> Rgb:
    """Skin and a line of lashes painted over both eyes of a face with these 68 landmarks."""
    shut = rgb.copy()
    for eye in (points[36:42], points[42:48]):
        (x, y), width = eye.mean(axis=0), float(np.hypot(*(eye[3] - eye[0])))
        skin = rgb[int(y + 0.55 * width), int(x)].tolist()
        cv2.ellipse(shut, (int(x), int(y) - 1), (int(0.55 * width), int(0.3 * width)), 0, 0, 360, skin, -1, cv2.LINE_AA)
        outer, inner = ((int(corner[0]), int(corner[1]) + 2) for corner in (eye[0], eye[3]))
        cv2.line(shut, outer, inner, (60, 40, 40), 1, cv2.LINE_AA)
    return shut


def scaled(rgb: Rgb, factor: float) -> Rgb:
    return np.asarray(cv2.resize(rgb, None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA), np.uint8)
