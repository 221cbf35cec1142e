from __future__ import annotations

from pathlib import Path

from PIL import Image

from models.training import journal
from models.training.journal import Journal


def test_a_resumed_run_strikes_what_the_killed_one_noted_after_its_checkpoint(tmp_path: Path) -> None:
    with Journal(tmp_path, batch=8, step=0) as first:
        for step in (1, 2, 3, 4):
            first.learned(1 / step, 0.5)
            first.note(step, step / 2, step / 10, 1e-3)
        first.judged(4, 2.0, 0.75)
    assert [line["step"] for line in journal.read(tmp_path)] == [1, 2, 3, 4, 4]
    with Journal(tmp_path, batch=8, step=2) as second:
        second.learned(0.1, 0.25)
        second.note(3, 1.25, 0.3, 1e-3)
    lines = journal.read(tmp_path)
    assert [line["step"] for line in lines] == [1, 2, 3]
    assert lines[-1]["loss"] == 0.1
    assert lines[-1]["images_per_second"] == 32.0
    with Journal(tmp_path, batch=8, step=0):
        pass
    assert journal.read(tmp_path) == []


def test_its_curves_are_a_picture(tmp_path: Path) -> None:
    lines = [{"step": i, "loss": 1 / i, "rate": 0.1} for i in range(1, 9)] + [{"step": 8, "judged": 0.9}]
    journal.draw(lines, tmp_path / "curves.png")
    with Image.open(tmp_path / "curves.png") as picture:
        assert picture.size == (840, 600)
