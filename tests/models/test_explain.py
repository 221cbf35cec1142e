from __future__ import annotations

import io

import numpy as np
from PIL import Image

from models import explain
from models.types import Rgb


def read(jpeg: bytes) -> Rgb:
    return np.asarray(Image.open(io.BytesIO(jpeg)).convert("RGB"))


def test_face_keeps_its_colours(portrait: Rgb) -> None:
    assert np.abs(read(explain.face_jpeg(portrait)).astype(int) - portrait).mean() < 6


def test_heat_colours_only_where_it_is_hot(portrait: Rgb) -> None:
    heat = np.zeros((32, 32), np.float32)
    heat[:, 16:] = 1
    change = np.abs(read(explain.heatmap_jpeg(portrait, heat)).astype(int) - portrait).mean(axis=2)
    left, right = change[:, :200].mean(), change[:, 312:].mean()
    assert left < 8
    assert right > 3 * left
