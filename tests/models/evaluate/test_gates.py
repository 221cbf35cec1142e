from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image

from models.evaluate import gates
from models.evaluate.gates import Looked
from models.training.crops import Item
from models.types import Rgb


def test_a_table_of_levels_and_of_what_was_kept() -> None:
    seen = [Looked("as it is", fake, score, False) for fake, score in ((True, 0.9), (False, 0.1), (False, 0.2))]
    seen += [Looked("JPEG 10", fake, score, down) for fake, score, down in ((True, 0.1, True), (False, 0.2, True))]
    _, plain, worst, kept, down = gates.table(seen).splitlines()
    assert plain.split() == ["as", "it", "is", "1.000", "0.0%", "0.0%"]
    assert worst.split() == ["JPEG", "10", "0.000", "100.0%", "100.0%"]
    assert kept.split()[:3] == ["kept", "1.000", "3"]
    assert down.split()[:4] == ["turned", "down", "0.000", "2"]


def test_a_face_is_looked_at_on_every_level(tmp_path: Path, portrait: Rgb) -> None:
    Image.fromarray(portrait[:, 60:391]).save(tmp_path / "a.png")
    seen = list(gates.look(tmp_path, [Item("a.png", "real", "a", "none", "set")]))
    assert len(seen) == 1 + len(gates.JPEG) + len(gates.CRF)
    assert not seen[0].turned_down
    assert seen[-1].turned_down, "nothing is left of it"
    assert np.isfinite([one.p_fake for one in seen]).all()
