"""PDQ: 256 bits that stay nearly the same when a picture is saved again or scaled, for finding near duplicates.

Written from its description (https://github.com/facebook/ThreatExchange/tree/main/pdq); bits equal to the reference
implementation's on a picture scaled to 512 x 512. Everything before the signs is linear in the luma, so it is three
products of small matrices: smoothing and sampling, then the cosine transform.

It does not tell a genuine picture from its manipulated copy: a face swap moves 4 to 26 bits.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from functools import cache
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from models.types import Frame, Glance, Pdq, Rgb

SIDE, SAMPLES, WAVES = 512, 64, 16
WINDOW = 4  # of the box filter that is applied twice, each way
LUMA = np.array([0.299, 0.587, 0.114], np.float32)
STEEP = 90  # summed slopes, in hundredths of the range, for one point of quality
BEST, GOOD, BYTES = 100, 50, 32  # below GOOD, walls and other blank pictures all look alike

Matrix = NDArray[np.float32]

Picture = TypeVar("Picture", Frame, Frame | Glance)


def of_each_second(pictures: Iterable[Picture]) -> Iterator[Picture]:
    """The same pictures in order of time; the first frame of each second with what it looks like."""
    second = -1
    for picture in pictures:
        if isinstance(picture, Frame) and int(picture.t) > second:
            second = int(picture.t)
            picture = replace(picture, pdq=of(picture.rgb))
        yield picture


def of(rgb: Rgb) -> Pdq:
    """Of a picture of any size, colours or not."""
    square = Image.fromarray(rgb).resize((SIDE, SIDE), Image.Resampling.LANCZOS)
    luma = np.asarray(square, np.float32) @ LUMA
    sampled = _smoothing() @ luma @ _smoothing().T
    waves = _cosines() @ sampled @ _cosines().T
    bits = (waves > np.median(waves)).reshape(-1)[::-1]  # the reference writes the last wave first
    return Pdq(np.packbits(bits).tobytes(), _quality(sampled))


def _quality(sampled: Matrix) -> int:
    slopes = (np.diff(sampled, axis=0), np.diff(sampled, axis=1))
    steep = sum(int(np.abs((slope * 100 / 255).astype(int)).sum()) for slope in slopes)
    return min(BEST, steep // STEEP)


@cache
def _smoothing() -> Matrix:
    """(64, 512): the box filter twice, then every eighth place. At the borders the window is cut off."""
    place = np.arange(SIDE)
    ahead = (WINDOW + 2) // 2
    last = np.minimum(place + ahead, SIDE)
    first = np.minimum(np.maximum(place + ahead - WINDOW, 0), last - 1)
    inside = (place[None] >= first[:, None]) & (place[None] < last[:, None])
    box = inside / inside.sum(axis=1, keepdims=True)
    sampled = ((np.arange(SAMPLES) + 0.5) * SIDE / SAMPLES).astype(int)
    return np.asarray((box @ box)[sampled], np.float32)


@cache
def _cosines() -> Matrix:
    """(16, 64): the first waves of the discrete cosine transform, without the constant one."""
    wave, place = np.arange(1, WAVES + 1)[:, None], np.arange(SAMPLES)[None]
    return np.asarray(np.sqrt(2 / SAMPLES) * np.cos(np.pi / (2 * SAMPLES) * wave * (2 * place + 1)), np.float32)
