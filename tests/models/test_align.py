from __future__ import annotations

import numpy as np
import pytest

from models import align, faces
from models.align import Square
from models.types import Frame, Rgb


@pytest.mark.parametrize(("margin", "side"), [(1.0, 112), (1.0, 224), (1.2, 160), (1.33, 300)])
def test_a_detectors_crop_is_that_of_the_picture(portrait: Rgb, margin: float, side: int) -> None:
    """Cut from the kept crop or from the picture itself, in one step: the same to a few grey levels."""
    (face,) = faces.find(Frame(portrait, 0.0, 0))
    square = align.square_of_landmarks(face.landmarks)
    share = min(1.0, margin * align.TIGHT)
    up = square.side * min(align.TIGHT_UP, (1 - share) / 2)
    middle = (square.x + np.sin(square.angle) * up, square.y - np.cos(square.angle) * up)
    direct = align.crop(portrait, Square(*middle, square.side * share, square.angle), side)
    derived = align.narrowed(face.crop, margin, side)
    assert derived.shape == (side, side, 3)
    assert np.abs(direct.astype(float) - derived).mean() < 2.5


def test_the_whole_crop_is_not_copied(portrait: Rgb) -> None:
    crop = portrait[:256, :256]
    assert align.narrowed(crop, align.WIDEST_MARGIN, 256) is crop


def test_a_narrow_detectors_map_lies_where_it_looked() -> None:
    wide = align.widened(np.ones((7, 7), np.float32), 1.0)
    rows, columns = np.nonzero(wide > 0.5)
    share = align.TIGHT
    assert wide.shape == (64, 64)
    assert (columns.min() / 64, (columns.max() + 1) / 64) == pytest.approx(((1 - share) / 2, (1 + share) / 2), abs=0.05)
    assert rows.mean() / 64 == pytest.approx(0.5 - align.TIGHT_UP, abs=0.02)
    assert wide[0].max() == 0
