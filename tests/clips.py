"""Clips for tests, made from the public-domain portrait that scikit-image brings: they run anywhere."""

from __future__ import annotations

from fractions import Fraction
from functools import cache
from pathlib import Path

import av
import cv2
import numpy as np
from numpy.typing import NDArray

Rgb = NDArray[np.uint8]


@cache
def portrait() -> Rgb:
    """512 x 512, one face of about 120 pixels."""
    from skimage.data import astronaut

    picture: Rgb = astronaut()
    picture.setflags(write=False)
    return picture


def frame(width: int, height: int, shift: float = 0.0) -> Rgb:
    """The portrait, as tall as the frame, drifting sideways by `shift` of its width over a plain wall."""
    scaled = cv2.resize(portrait(), (height, height), interpolation=cv2.INTER_AREA)
    canvas = np.full((height, width, 3), 96, np.uint8)
    visible = min(width, height)
    left = round(((width - visible) / 2) * (1 + shift))
    canvas[:, left : left + visible] = scaled[:, :visible]
    return canvas


def make_clip(
    path: Path, *, seconds: float, width: int = 640, height: int = 360, fps: int = 30, gop: int = 250
) -> Path:
    """H.264 in mp4: the portrait drifting to and fro, with a little noise so that frames differ as a camera's do."""
    rng = np.random.default_rng(1)
    noise = [rng.integers(0, 6, (height, width, 3), np.uint8) for _ in range(7)]
    with av.open(str(path), "w", options={"movflags": "faststart"}) as container:
        stream = container.add_stream("libx264", rate=Fraction(fps))
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        stream.gop_size = gop
        stream.options = {"preset": "ultrafast", "crf": "23"}
        for number in range(max(1, round(seconds * fps))):
            rgb = frame(width, height, 0.15 * float(np.sin(number / fps)))  # a head that sways
            picture = av.VideoFrame.from_ndarray(cv2.add(rgb, noise[number % len(noise)]), format="rgb24")
            container.mux(stream.encode(picture))
        container.mux(stream.encode())
    return path
