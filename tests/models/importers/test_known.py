from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from models.errors import WeightsError
from models.importers import known
from models.types import Rgb


def pictures(fake: list[bool]) -> known.Known:
    return known.Known(tuple(np.full((256, 256, 3), i, np.uint8) for i in range(len(fake))), np.array(fake))


@pytest.mark.parametrize(
    ("fake", "sure"),
    [
        ([False] * 3 + [True] * 3, 1),  # a perfect order of three and three: one chance in twenty
        ([True] * 3 + [False] * 3, -1),
        ([False] * 2 + [True] * 2, 0),  # too few to tell
        ([False, True] * 20, 0),
        ([False] * 15 + [True, False] * 5 + [True] * 15, 1),
    ],
)
def test_how_sure_an_order_is(fake: list[bool], sure: int) -> None:
    answer = known.ask(pictures(fake), lambda crops: np.array([crop.mean() for crop in crops]), 1.33, 256)
    assert answer.sure == sure
    assert (answer.reals, answer.fakes) == (fake.count(False), fake.count(True))
    if sure < 0:
        with pytest.raises(WeightsError, match=r"other way round: AUC 0\.000 on 3 genuine"):
            known.refuse_reversed(answer, "Advice.")
    else:
        known.refuse_reversed(answer, "Advice.")


def test_pictures_come_from_two_folders(tmp_path: Path, portrait: Rgb) -> None:
    for label in ("real", "fake"):
        (tmp_path / label).mkdir()
    Image.fromarray(portrait).save(tmp_path / "real" / "a.png")
    (tmp_path / "fake" / "notes.txt").touch()
    with pytest.raises(WeightsError, match="fake has none"):
        known.read(tmp_path)
    Image.fromarray(portrait[:, ::-1]).save(tmp_path / "fake" / "b.jpg")
    found = known.read(tmp_path)
    assert found.fake.tolist() == [False, True]
    assert [crop.shape for crop in found.crops] == [(256, 256, 3)] * 2
