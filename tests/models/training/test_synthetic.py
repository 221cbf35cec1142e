from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from models import calibrate, manifest
from models.training import generators, split, synthetic
from models.training.crops import Item, Shard
from models.training.synthetic import Mix, Views
from models.training.torch_loop import Plan
from models.types import Rgb

MIX = Mix(side=64)
PLAN = Plan(minutes=60, seed=1, batch=8, most_steps=3, warm_up=1, save_seconds=0.0, workers=0)


@pytest.fixture(scope="module")
def views(portrait: Rgb) -> Views:
    """Two generators and a genuine set; what is made carries a fine grain."""
    by_part: dict[str, list[str]] = {"train": [], "judge": [], "calibrate": []}
    for i in range(2000):
        by_part[split.part_of(f"g{i}")].append(f"g{i}")
    groups = by_part["train"][:40] + by_part["judge"][:40] + by_part["calibrate"][:280]
    methods = ["none", "stylegan", "none", "sd21"]
    items = tuple(
        Item(f"a/{i}.png", ("real", "fake")[i % 2], group, methods[i % 4], "a", "landmarks")
        for i, group in enumerate(groups)
    )
    genuine = portrait[:300, 80:380]
    grain = (np.indices((300, 300)).sum(axis=0) % 2 * 30).astype(np.uint8)[..., None]
    pictures = np.stack([genuine, np.minimum(genuine, 225) + grain])[np.arange(len(items)) % 2]
    return Views(Shard(pictures, items, None, synthetic.CUTTING), pictures[:, :256, :256], np.ones(len(items), bool))


def test_it_learns_and_what_ships_is_calibrated_for_its_own_hypothesis(
    views: Views, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "index.csv").write_text("path,label,group,method,source_width\n")
    monkeypatch.setattr(synthetic, "load", lambda data, work: views)
    monkeypatch.setattr(synthetic, "Plan", lambda minutes, seed: PLAN)
    synthetic.run(tmp_path / "index.csv", tmp_path, 60, 1, False, leave_out=("stylegan",))
    (entry,) = manifest.read(tmp_path / "weights").values()
    assert (entry.name, entry.kinds, entry.file) == ("synthetic", ("synthetic",), "synthetic.onnx")
    assert entry.path.stat().st_size < 8_000_000
    calibration = calibrate.load(tmp_path / "weights" / "calibration.toml")
    assert calibration.detectors["synthetic"].hypothesis == "synthetic"
    assert set(calibration.fake) == {"synthetic"}
    card = (tmp_path / "cards" / "synthetic.md").read_text()
    assert "| stylegan (left out) | 90 |" in card, "measured on all of it, since nothing of it was learned"
    assert "| sd21 | 10 |" in card


def test_both_classes_and_both_views_are_drawn_and_the_draw_depends_on_the_numbers_alone(views: Views) -> None:
    among = split.indices(views.items, "train")
    batches = [synthetic.Draws(views, among, MIX).batch(16, np.random.default_rng(5)) for _ in range(2)]
    assert batches[0].crops.shape == (16, 64, 64, 3)
    assert batches[0].fake.sum() == 8
    assert (batches[0].crops == batches[1].crops).all()


def test_what_was_left_out_is_never_drawn(views: Views) -> None:
    known = synthetic._known(views, "train", MIX, ("stylegan",))
    assert {views.items[i].method for i in known} == {"none", "sd21"}


@pytest.mark.parametrize("control", ["width", "quality"])
def test_a_control_parts_genuine_faces_by_chance_and_only_their_file_differs(
    views: Views, control: synthetic.Control
) -> None:
    mix = Mix(side=64, control=control)
    known = synthetic._known(views, "train", mix, ())
    assert not any(views.items[i].fake for i in known)
    assert 0.2 < np.mean([synthetic.is_made(views.items[i], control) for i in known]) < 0.8
    rgb = np.asarray(views.pictures[0])
    disguised = synthetic.disguised(rgb, control)
    assert disguised.shape == rgb.shape
    assert 0 < np.abs(disguised.astype(int) - rgb).mean() < 12


def test_the_table_tells_generators_and_sets_apart() -> None:
    items = [Item(f"{i}", "fake", f"g{i}", ("sd21", "flux")[i % 2], "x") for i in range(10)]
    items += [Item(f"r{i}", "real", f"r{i}", "none", ("portraits", "video")[i % 2]) for i in range(10)]
    scores = np.array([0.9, 0.5] * 5 + [0.5, 0.1] * 5)
    lines = generators.table(scores, items, ["flux"]).splitlines()
    assert lines[0] == "| generator | faces | portraits | video | all | found at 1 % |"
    assert lines[2] == "| flux (left out) | 5 | 0.500 | 1.000 | 0.750 | 0.00 |"
    assert lines[3] == "| sd21 | 5 | 1.000 | 1.000 | 1.000 | 1.00 |"
