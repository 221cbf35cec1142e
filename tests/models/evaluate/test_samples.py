from __future__ import annotations

from pathlib import Path

import pytest

from models.evaluate.samples import Sample, held_out, limited, traits_of, used_by
from models.manifest import Entry
from models.training import learned
from models.training.split import part_of


def sample(name: str, dataset: str = "set", fake: bool = False, group: str | None = None) -> Sample:
    return Sample(name, Path(name), fake, group or name, "", dataset)


def entry(trained_on: str) -> Entry:
    return Entry("net", "1", "Net", "-", (), Path(), "net.onnx", "0", trained_on=trained_on)


@pytest.mark.parametrize(
    ("name", "traits"),
    [
        ("real/utk_17_0_0_20170109.jpg", {"age": "under 18", "gender": "male", "origin": "White"}),
        ("utk_18_1_1_1.jpg", {"age": "18-39", "gender": "female", "origin": "Black"}),
        ("utk_40_1_2_1.jpg", {"age": "40-59", "gender": "female", "origin": "Asian"}),
        ("utk_101_0_4_1.jpg", {"age": "60 and over", "gender": "male", "origin": "other"}),
        ("ytf_Somebody_1.jpg", {}),
    ],
)
def test_traits_are_read_from_names(name: str, traits: dict[str, str]) -> None:
    assert traits_of(name) == traits


def test_columns_outrank_names() -> None:
    assert traits_of("utk_17_0_0_1.jpg", {"age": "old", "gender": "", "origin": None}) == {"age": "old"}


def test_a_limit_takes_of_each_label_in_each_set_always_the_same() -> None:
    some = [sample(f"{n}", f"set{n % 2}", n % 3 == 0) for n in range(60)]
    kept = limited(some, 4)
    assert len(kept) == 16
    assert kept == [one for one in some if one in kept]
    assert {one.name for one in limited(some[::-1], 4)} == {one.name for one in kept}


def test_what_training_did_with_a_sample_follows_the_split() -> None:
    groups = {part_of(f"g{n}"): f"g{n}" for n in range(100)}
    net = entry("set, other")
    uses = {part: used_by(net, sample(part, group=group)) for part, group in groups.items()}
    assert uses == {"train": "learned from", "judge": "chosen by", "calibrate": "calibrated on"}
    assert used_by(net, sample("a", "elsewhere", group=groups["train"])) == "not used"
    record = frozenset([learned.of_group(groups["train"])])
    assert used_by(net, sample("a", "elsewhere", group=groups["train"]), record) == "learned from"
    assert used_by(net, sample("a", "elsewhere", group="another"), record) == "not used"
    some = [sample(part, group=group) for part, group in groups.items()] + [sample("x", "elsewhere")]
    assert {one.name for one in held_out(some, [net, entry("third")])} == {"judge", "x"}
