from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from models import calibrate, manifest
from models.training import generators, listing, split, statistics, synthetic
from models.training.crops import Item, Shard
from models.training.plan import Budget, Wish
from models.training.shard import WIDE
from models.training.synthetic import Mix
from models.types import Rgb

METHODS = ("none", "stylegan", "none", "sd21", "none", "flux")


@pytest.fixture(scope="module")
def faces(portrait: Rgb) -> Shard:
    """Two generators, a GAN and a genuine set; what is made carries a fine grain."""
    by_part: dict[str, list[str]] = {"train": [], "judge": [], "calibrate": []}
    for i in range(2000):
        by_part[split.part_of(f"g{i}")].append(f"g{i}")
    groups = by_part["train"][:36] + by_part["judge"][:24] + by_part["calibrate"][:204]
    items = tuple(
        Item(f"a/{i}.png", ("real", "fake")[i % 2], group, METHODS[i % 6], "a", "landmarks")
        for i, group in enumerate(groups)
    )
    genuine = portrait[:300, 80:380]
    grain = (np.indices((300, 300)).sum(axis=0) % 2 * 30).astype(np.uint8)[..., None]
    return Shard(np.stack([genuine, np.minimum(genuine, 225) + grain])[np.arange(len(items)) % 2], items, None, WIDE)


@pytest.fixture
def folder(faces: Shard, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "index.csv").write_text("path,label,group,method,source_width\n")
    listed = listing.Listing(tmp_path, faces.items)
    monkeypatch.setattr(listing, "pictures", lambda data, most, known: listed)
    monkeypatch.setattr(synthetic, "cut", lambda listed, work: faces)
    return tmp_path


def test_it_learns_and_what_ships_is_calibrated_for_its_own_hypothesis(folder: Path) -> None:
    published = synthetic.run(folder, folder, Wish(epochs=2), leave_out=("flux",))
    assert published is not None
    assert published.auc is not None
    assert published.auc.value > 0.95
    (entry,) = manifest.read(folder / "weights").values()
    assert (entry.name, entry.kinds, entry.file) == ("synthetic", ("synthetic",), "synthetic.onnx")
    assert entry.path.stat().st_size < 8_000_000
    calibration = calibrate.load(folder / "weights" / "calibration.toml")
    assert calibration.detectors["synthetic"].hypothesis == "synthetic"
    assert {name: len(scores) for name, scores in calibration.fake.items()} == {"synthetic": 34}
    card = (folder / "cards" / "synthetic.md").read_text()
    assert "| flux (left out) | 44 |" in card, "measured on all of it, since nothing of it was learned"
    assert "| stylegan (left out) | 44 |" in card
    assert "| sd21 | 4 |" in card


def test_a_killed_run_goes_on_and_another_generator_is_left_out_without_looking_again(
    faces: Shard, tmp_path: Path
) -> None:
    eyes, pools = (
        synthetic.texture(),
        synthetic.split_by_source(faces, synthetic._possible(faces, "train", Mix()), Mix()),
    )
    path = tmp_path / "seen.npz"

    def draw(step: int) -> tuple[Rgb, statistics.Indices]:
        return synthetic._draw(faces, pools, Mix(side=64), 1, step)

    first = statistics.gather(eyes, draw, Budget(60, 1, 1), path, False)
    assert len(first.items) == 48
    more = statistics.gather(eyes, draw, Budget(60, 1, 2), path, True)
    assert len(more.items) == 96
    assert (more.values[:48] == first.values).all()
    again = statistics.gather(eyes, draw, Budget(60, 1, 2), path, True)
    assert (again.values == more.values).all(), "the budget was spent"


def test_both_classes_are_drawn_alike_and_the_draw_depends_on_the_numbers_alone(faces: Shard) -> None:
    pools = synthetic.split_by_source(faces, synthetic._possible(faces, "train", Mix()), Mix())
    (crops, items), (same, _), (other, _) = (synthetic._draw(faces, pools, Mix(side=64), 1, s) for s in (3, 3, 4))
    assert crops.shape == (48, 64, 64, 3)
    assert sum(faces.items[i].fake for i in items) == 24
    assert {faces.items[i].method for i in items} == {"none", "sd21", "flux"}, "what a GAN drew is not learned"
    assert (crops == same).all()
    assert (crops != other).any()


@pytest.mark.parametrize("control", ["width", "quality"])
def test_a_control_parts_genuine_faces_by_chance_and_only_their_file_differs(
    faces: Shard, control: synthetic.Control, folder: Path
) -> None:
    known = synthetic._possible(faces, "train", Mix(control=control))
    assert not any(faces.items[i].fake for i in known)
    assert 0.2 < np.mean([synthetic.is_made(faces.items[i], control) for i in known]) < 0.8
    rgb = np.asarray(faces.crops[0])
    disguised = synthetic.disguised(rgb, control)
    assert disguised.shape == rgb.shape
    assert 0 < np.abs(disguised.astype(int) - rgb).mean() < 12
    assert synthetic.run(folder, folder, Wish(epochs=1), control=control) is None
    assert not (folder / "weights").exists(), "nothing that could ship"


def test_sources_weigh_by_their_share_whatever_was_left_out(faces: Shard) -> None:
    among = synthetic._possible(faces, "train", Mix())
    made = np.array([faces.items[i].fake for i in among])
    weights = synthetic._importance(faces, among, made, Mix(fakes={"sd21": 0.4, "flux": 0.6}))
    assert weights[made].sum() == pytest.approx(weights[~made].sum())
    of_sd21 = np.array([faces.items[i].method == "sd21" for i in among])
    assert weights[of_sd21].sum() == pytest.approx(0.4)


def test_the_table_tells_generators_and_sets_apart() -> None:
    items = [Item(f"{i}", "fake", f"g{i}", ("sd21", "flux")[i % 2], "x") for i in range(10)]
    items += [Item(f"r{i}", "real", f"r{i}", "none", ("portraits", "video")[i % 2]) for i in range(10)]
    scores = np.array([0.9, 0.5] * 5 + [0.5, 0.1] * 5)
    lines = generators.table(scores, items, ["flux"]).splitlines()
    assert lines[0] == "| generator | faces | portraits | video | all | found at 1 % |"
    assert lines[2] == "| flux (left out) | 5 | 0.500 | 1.000 | 0.750 | 0.00 |"
    assert lines[3] == "| sd21 | 5 | 1.000 | 1.000 | 1.000 | 1.00 |"
