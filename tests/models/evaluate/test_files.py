from __future__ import annotations

from pathlib import Path

import pytest
from PIL import Image

from models.analyze import Analyzer
from models.evaluate import files
from models.evaluate.files import FileResult
from models.types import Rgb


def test_every_file_of_the_folder_is_judged(analyzer: Analyzer, portrait: Rgb, tmp_path: Path) -> None:
    (tmp_path / "set").mkdir()
    Image.fromarray(portrait).save(tmp_path / "set" / "a.png")
    Image.new("RGB", (64, 64)).save(tmp_path / "set" / "b.png")
    (tmp_path / "index.csv").write_text("path,label\nset/a.png,fake\nset/b.png,real\nother/c.png,real\n")
    first, second = files.judge(tmp_path, "set", analyzer)
    assert (first.path, first.fake, first.p_value) == ("set/a.png", True, pytest.approx(1 / 200))
    assert (second.fake, second.probability, second.p_value) == (False, None, None)


def test_a_card_keeps_one_section_of_whole_clips(tmp_path: Path) -> None:
    card = tmp_path / "card.md"
    card.write_text("# Name\n\n## Calibration\n\nscale\n")
    results = [FileResult(f"{i}", i % 2 == 0, i / 20, 0.005 if i == 18 else 0.5) for i in range(20)]
    files.add_to_card(card, results, 0.01)
    once = card.read_text()
    files.add_to_card(card, results, 0.01)
    assert card.read_text() == once
    assert once.index(files.HEADING) < once.index("## Calibration") < once.index("scale")
    assert "0 genuine, 1 manipulated" in once
