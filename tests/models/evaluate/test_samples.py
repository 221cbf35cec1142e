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


@pytest.mark.parametrize(("age", "words"), [("17", "under 18"), ("1001", "60 and over"), ("9" * 5000, "60 and over")])
def test_ages_of_a_table_are_told_in_bands_however_odd_they_are(age: str, words: str) -> None:
    assert traits_of("a.jpg", {"age": age}) == {"age": words}


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
    # The record holds those that chose, too; where it knows the group, the split tells which it was.
    chose = frozenset([learned.of_group(groups["judge"])])
    assert used_by(net, sample("a", "set", group=groups["judge"]), chose) == "chosen by"
    some = [sample(part, group=group) for part, group in groups.items()] + [sample("x", "elsewhere")]
    assert {one.name for one in held_out(some, [net, entry("third")])} == {"judge", "x"}


def test_a_file_that_was_learned_from_is_known_under_another_group(tmp_path: Path) -> None:
    groups = {part_of(f"g{n}"): f"g{n}" for n in range(100)}
    (tmp_path / "a.jpg").write_bytes(b"a picture")
    record = frozenset([learned.of_file(tmp_path / "a.jpg")])
    for group in groups.values():
        again = Sample("a.jpg", tmp_path / "a.jpg", False, group, "", "set")
        assert used_by(entry("set"), again, record) == "learned from"
