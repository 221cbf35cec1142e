from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from models import calibrate, manifest
from models.errors import WeightsError
from models.training import learned, shard, ship
from models.training.plan import Wish
from models.training.shard import Item
from models.training.split import part_of
from tests.models.test_recalibrate import prepared


@pytest.fixture
def trained(tmp_path: Path) -> Path:
    """What a run of meso4 leaves: the shipped weights, said to have learned from the set "mine"."""
    out = tmp_path / "all" / "meso4"
    (out / "weights").mkdir(parents=True)
    (out / "cards").mkdir()
    entry = manifest.read_one(manifest.WEIGHTS)["meso4"]
    shutil.copyfile(entry.path, out / "weights" / "meso4.onnx")
    table = f'[meso4]\nfile="meso4.onnx"\nsha256="{entry.sha256}"\nversion="1.0"\ntitle="T"\nlicence="L"\n'
    table += 'trained_on="mine"\nkinds=["face_swap"]\n'
    (out / "weights" / "manifest.toml").write_text(f"# heading\n{table}")
    card = "# T\n\n## How well\n\nSo.\n\n## Calibration\n\nIts own.\n\n## Where it fails\n\n- Often.\n"
    (out / "cards" / "meso4.md").write_text(card)
    return out


@pytest.fixture
def faces(tmp_path: Path) -> Path:
    """Prepared faces of groups that calibrate; a clip's set that nobody learned from is among them."""
    folder = prepared(tmp_path / "all" / "faces", 120)
    groups = [group for i in range(2000) if part_of(group := f"g{i}") == "calibrate"]
    items = [
        Item(item.path, item.label, groups[i // 2], "", "videos" if i == 0 else "mine", "landmarks")
        for i, item in enumerate(shard.read_listing(folder / shard.LISTING))
    ]
    shard.write_listing(folder / shard.LISTING, items)
    return folder


def test_what_ships_is_one_manifest_one_calibration_and_cards_that_tell_it(
    trained: Path, faces: Path, tmp_path: Path
) -> None:
    weights, cards, data = tmp_path / "weights", tmp_path / "cards", tmp_path / "mine"
    weights.mkdir()
    cards.mkdir()
    for label in ("real", "fake"):
        (data / label).mkdir(parents=True)
        for i in range(30):
            (data / label / f"{label}{i}.png").write_text(f"{label} {i}")
    calibration = ship.ship([trained], data, faces, weights, cards)
    entry = manifest.read_one(weights)["meso4"]
    assert entry.installed
    assert calibrate.load(weights / "calibration.toml").detectors["meso4"].weights == entry.sha256
    assert len(calibration.real) == 119, "the set that no recipe learned from is left out"
    text = (cards / "meso4.md").read_text()
    assert f"earned alone: {calibration.detectors['meso4'].weight:.2f}" in text
    assert "Its own." not in text
    assert text.endswith("## Where it fails\n\n- Often.\n")
    marks = learned.read(entry.path)
    assert marks is not None
    used = next(i for i in range(30) if part_of(f"mine:real{i}") != "calibrate")
    assert learned.seen([marks], "other", data / "real" / f"real{used}.png")


def test_runs_that_are_done_are_not_run_again(trained: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[tuple[str, ...]] = []
    prepared_from: list[Any] = []
    known = calibrate.load(Path(__file__).parents[1] / "flagging_calibration.toml")
    monkeypatch.setattr(ship, "_unmask", lambda *words: said.append(words))
    monkeypatch.setattr(ship, "prepare", lambda *words: prepared_from.append(words))
    monkeypatch.setattr(ship, "ship", lambda *words: known)
    out = tmp_path / "all"
    sentence = ship.run(tmp_path, out, Wish(seed=3))
    assert prepared_from == [(tmp_path, out / "faces")]
    assert [words[:2] for words in said] == [
        ("train", "mesoinception4"), ("train", "blend"), ("train", "synthetic"), ("evaluate", str(out / "faces")),
    ]  # fmt: skip
    assert said[1][2:] == (
        "--data", str(out / "faces"), "--minutes", "105.0", "--seed", "3", "--resume", "--out", str(out / "blend"),
    )  # fmt: skip
    assert max(ship.MINUTES.values()) < 120
    assert "meso4 1.00" in sentence


def test_a_run_that_fails_ends_it_with_what_to_do() -> None:
    with pytest.raises(WeightsError, match=r"`unmask train nothing` failed.*Repeated, this goes on"):
        ship._unmask("train", "nothing")


def test_cards_say_who_shares_a_calibration_and_who_adds_nothing() -> None:
    known = calibrate.load(Path(__file__).parents[1] / "flagging_calibration.toml")
    scale = known.detectors["meso4"]
    both = replace(known, detectors={"meso4": scale, "blend": replace(scale, weight=0.0)})
    assert "earned beside meso4: 0.00" in ship.jointly("## Calibration\n\nx\n\n## Where it fails", "blend", both)
    assert "It adds nothing" in ship.jointly("", "blend", both)
    assert "shown with weight 0" in ship.jointly("", "synthetic", both)
