from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from models import blocking, faces, quality
from models.types import Box, Frame, Rgb
from tests.models.media import scaled

FACE: Box = (185.0, 63.0, 84.0, 112.0)


def saved(rgb: Rgb, quality: int) -> Rgb:
    buffer = io.BytesIO()
    Image.fromarray(rgb).save(buffer, "JPEG", quality=quality)
    return np.asarray(Image.open(buffer), np.uint8)


def test_the_stronger_the_compression_the_higher_the_steps(portrait: Rgb) -> None:
    steps = [blocking.step(saved(portrait, percent), FACE) for percent in (95, 50, 25, 12, 6)]
    assert steps == sorted(steps)
    assert steps[0] < quality.HIGHEST_STEP / 2
    assert steps[-1] > quality.HIGHEST_STEP


def test_the_grid_may_begin_anywhere(portrait: Rgb) -> None:
    strong = saved(portrait, 8)
    x, y, width, height = FACE
    moved = np.ascontiguousarray(strong[3:, 5:])
    assert blocking.step(moved, (x - 5, y - 3, width, height)) == pytest.approx(blocking.step(strong, FACE), rel=0.01)
    turned = np.ascontiguousarray(np.rot90(strong))
    assert blocking.step(turned, (y, 512 - x - width, height, width)) == pytest.approx(
        blocking.step(strong, FACE), rel=0.1
    )


def test_blocks_that_were_scaled_since_are_not_seen(portrait: Rgb) -> None:
    """The limit its docstring states."""
    strong = scaled(saved(portrait, 8), 0.7)
    x, y, width, height = (edge * 0.7 for edge in FACE)
    assert blocking.step(strong, (x, y, width, height)) < quality.HIGHEST_STEP


@pytest.mark.parametrize("box", [(0.0, 0.0, 20.0, 20.0), (-50.0, -50.0, 60.0, 60.0), (600.0, 600.0, 90.0, 90.0)])
def test_too_few_blocks_to_measure_by(portrait: Rgb, box: Box) -> None:
    assert blocking.step(portrait, box) == 0.0


@pytest.mark.parametrize(("percent", "quantiser", "reasons"), [
    (90, None, ()), (90, 30.0, ()), (8, None, ("heavy_compression",)), (90, 44.0, ("heavy_compression",)),
])  # fmt: skip
def test_a_face_of_which_compression_left_little_is_turned_down(
    portrait: Rgb, percent: int, quantiser: float | None, reasons: tuple[str, ...]
) -> None:
    (face,) = faces.find(Frame(saved(portrait, percent), 0.0, 0, quantiser=quantiser))
    assert face.reasons == reasons
