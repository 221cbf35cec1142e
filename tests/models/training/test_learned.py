from __future__ import annotations

from pathlib import Path

from models.training import learned
from models.training.shard import Item
from models.training.split import part_of


def test_files_and_groups_are_known_again_and_others_are_not(tmp_path: Path) -> None:
    names = [f"g{i}" for i in range(40)]
    items = [Item(f"{name}.png", "real", name, "", "s") for name in names]
    for item in items:
        (tmp_path / item.path).write_text(item.group)
    weights = tmp_path / "net.onnx"
    assert learned.read(weights) is None
    learned.write(weights, tmp_path, items)
    marks = [learned.read(weights)]
    used = [name for name in names if part_of(name) != "calibrate"]
    free = next(name for name in names if part_of(name) == "calibrate")
    assert all(learned.seen(marks, name, tmp_path / "none") for name in used)
    (tmp_path / "copy.png").write_text(used[0])
    assert learned.seen(marks, "another group", tmp_path / "copy.png")
    assert not learned.seen(marks, free, tmp_path / f"{free}.png")
    assert not learned.seen([None], used[0], tmp_path / "copy.png")
