from __future__ import annotations

import numpy as np
import pytest

from models.evaluate.changes import CHANGES
from models.types import Rgb


@pytest.mark.parametrize("name", CHANGES)
def test_a_change_alters_pixels_and_still_shows_the_picture(portrait: Rgb, name: str) -> None:
    before = portrait[:301, :403]
    after = CHANGES[name](before)
    assert after.dtype == np.uint8
    assert after.shape[2] == 3
    scale = {"half size": 0.5, "screenshot": 0.73}.get(name, 1.0)
    assert after.shape[:2] == pytest.approx((301 * scale, 403 * scale), abs=1)
    grid = tuple(
        np.ix_(*(np.linspace(0, side - 1, 50).astype(int) for side in picture.shape[:2])) for picture in (before, after)
    )
    apart = np.abs(before[grid[0]].astype(float) - after[grid[1]]).mean()
    assert 0 < apart < 20


def test_harder_compression_leaves_less(portrait: Rgb) -> None:
    apart = {name: np.abs(CHANGES[name](portrait).astype(float) - portrait).mean() for name in ("JPEG 50", "JPEG 70")}
    assert apart["JPEG 50"] > apart["JPEG 70"]
