from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from models import explain
from models.types import Rgb


def read(jpeg: bytes) -> Rgb:
    return np.asarray(Image.open(io.BytesIO(jpeg)).convert("RGB"))


def test_face_keeps_its_colours(portrait: Rgb) -> None:
    assert np.abs(read(explain.face_jpeg(portrait)).astype(int) - portrait).mean() < 6


@pytest.mark.parametrize(
    ("size", "small"), [((1280, 720), (640, 360)), ((300, 200), (300, 200)), ((9, 4000), (1, 640))]
)
def test_a_frame_is_kept_small_and_says_how_large_it_was(size: tuple[int, int], small: tuple[int, int]) -> None:
    kept = explain.small_frame(np.full((size[1], size[0], 3), (200, 30, 30), np.uint8))
    assert (kept.width, kept.height) == size
    seen = read(kept.jpeg)
    assert seen.shape[:2] == small[::-1]
    assert seen[0, 0].tolist() == pytest.approx([200, 30, 30], abs=6)


def test_heat_colours_only_where_it_is_hot(portrait: Rgb) -> None:
    heat = np.zeros((32, 32), np.float32)
    heat[:, 16:] = 1
    change = np.abs(read(explain.heatmap_jpeg(portrait, heat)).astype(int) - portrait).mean(axis=2)
    left, right = change[:, :200].mean(), change[:, 312:].mean()
    assert left < 8
    assert right > 3 * left
