from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from models.errors import DatasetError
from models.training import crops, shard
from models.training.shard import SERVING, WIDE, Cutting, Item


@pytest.fixture
def prepared(tmp_path: Path) -> Path:
    rng = np.random.default_rng(0)
    items = [Item(f"set/{i}.png", "real", f"g{i}", "", "set", "landmarks") for i in range(5)]
    np.save(tmp_path / shard.CROPS, rng.integers(0, 255, (5, 300, 300, 3), np.uint8))
    np.save(tmp_path / shard.LANDMARKS, np.full((5, 68, 2), 100, np.float32))
    shard.write_listing(tmp_path / shard.LISTING, items)
    (tmp_path / shard.PREPARED).write_text(json.dumps({"cutting": {"side": WIDE.side, "wider": WIDE.wider}}))
    return tmp_path


def test_recipes_read_what_was_prepared_without_cutting_again(prepared: Path) -> None:
    items = crops.read_index(prepared)
    assert [item.path for item in items] == [f"set/{i}.png" for i in range(5)]
    assert crops.read_index(prepared / "index.csv") == items
    some = [items[3], items[1]]
    wide = crops.prepare(prepared, some, prepared / "cache", cutting=WIDE)
    whole = shard.read_prepared(prepared)
    assert wide.items == tuple(some)
    assert wide.crops.shape == (2, 300, 300, 3)
    assert (wide.crops[0] == whole.crops[3]).all()
    assert not (prepared / "cache").exists()


def test_a_narrower_recipe_gets_the_middle_with_its_landmarks(prepared: Path) -> None:
    items = crops.read_index(prepared)
    wide, serving = (crops.prepare(prepared, items, prepared, cutting=cutting) for cutting in (WIDE, SERVING))
    assert serving.crops.shape == (5, 256, 256, 3)
    for i in range(5):
        assert (crops.serving_crop(serving, i) == crops.serving_crop(wide, i)).all()
    assert serving.landmarks is not None
    assert serving.landmarks[0, 0].tolist() == [78, 78]
    assert (serving.crops[np.array([4, 2])] == np.stack([serving.crops[4], serving.crops[2]])).all()


@pytest.mark.parametrize("cutting", [Cutting(400, 400 / 256), Cutting(256, 1.2)])
def test_a_cut_that_is_not_stored_is_refused(prepared: Path, cutting: Cutting) -> None:
    with pytest.raises(DatasetError, match="Prepare them again"):
        crops.prepare(prepared, crops.read_index(prepared), prepared, cutting=cutting)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        (shard.PREPARED, "[]"), (shard.PREPARED, '{"cutting": {"side": 0, "wider": 1}}'), (shard.PREPARED, "{"),
        (shard.PREPARED, '{"cutting": {"side": 300, "wider": 0}}'), (shard.PREPARED, '{"cutting": {"side": "x"}}'),
        (shard.PREPARED, '{"cutting": {"side": 200, "wider": 1}}'),
        (shard.CROPS, "x"), (shard.LANDMARKS, ""), (shard.LISTING, "path,label\na.png,real\n"),
        (shard.LISTING, "path,label,group,method,dataset\na.png,real,g,,set\n"),
        (shard.LISTING, "path,label,group,method,dataset\na.png,real,g,,set,landmarks,more\n"),
        (shard.LISTING, "path,label,group,method,dataset,how\n" + "a.png,true,g,,set,\n" * 5),
    ],
)  # fmt: skip
def test_a_folder_that_is_not_what_was_prepared_is_refused(prepared: Path, name: str, content: str) -> None:
    (prepared / name).write_text(content)
    with pytest.raises(DatasetError, match="Prepare"):
        shard.read_prepared(prepared)


def test_arrays_that_hold_programs_are_not_run(prepared: Path) -> None:
    np.save(prepared / shard.CROPS, np.array([{"a": 1}], object), allow_pickle=True)
    with pytest.raises(DatasetError, match="Prepare"):
        shard.read_prepared(prepared)
