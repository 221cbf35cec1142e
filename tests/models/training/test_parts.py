from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from models.training import augment, crops, split
from models.training.crops import Item
from models.types import Rgb


def items(count: int, dataset: str = "set") -> list[Item]:
    labels = ("real", "fake", "fake")
    return [Item(f"{dataset}/{i}.png", labels[i % 3], f"g{i // 4}", "swap", dataset) for i in range(count)]


def test_groups_are_never_torn_apart_and_shares_hold() -> None:
    everything = items(4000)
    parts = {part: split.indices(everything, part) for part in ("train", "judge", "calibrate")}
    groups = {part: {everything[i].group for i in indices} for part, indices in parts.items()}
    assert sum(len(indices) for indices in parts.values()) == 4000
    assert not groups["train"] & groups["judge"]
    assert not groups["train"] & groups["calibrate"]
    assert not groups["judge"] & groups["calibrate"]
    assert 0.65 < len(parts["train"]) / 4000 < 0.75


def test_draws_follow_the_shares_not_the_sizes() -> None:
    both = items(2000, "large") + items(60, "small")
    sampler = split.Sampler(both, np.arange(len(both)), {"large": (0.25, 0.25), "small": (0.25, 0.25)})
    drawn = sampler.draw(4000, np.random.default_rng(0))
    assert np.mean(drawn >= 2000) == pytest.approx(0.5, abs=0.04)
    assert np.mean([both[i].fake for i in drawn]) == pytest.approx(0.5, abs=0.04)


def test_degrading_depends_on_the_seed_alone(portrait: Rgb) -> None:
    crop = portrait[:256, 100:356]
    first, again, other = (augment.degrade(crop, np.random.default_rng(seed)) for seed in (1, 1, 2))
    assert first.shape == crop.shape
    assert first.dtype == np.uint8
    assert (first == again).all()
    assert (first != other).any()


@pytest.mark.parametrize("strength", [0.0, 0.5, 1.0])
def test_degraded_crops_still_show_the_face(portrait: Rgb, strength: float) -> None:
    crop = portrait[:256, 100:356]
    rng = np.random.default_rng(0)
    unlike = [np.abs(augment.degrade(crop, rng, strength).astype(float) - crop).mean() for _ in range(20)]
    assert np.median(unlike) < 80


def test_tight_crops_get_a_margin_and_are_cut_as_in_serving(portrait: Rgb, tmp_path: Path) -> None:
    tight = portrait[70:170, 180:275]
    crop, how = crops.cut(tight)
    assert how == "landmarks"
    whole, _ = crops.cut(portrait)
    assert np.abs(crop[64:192, 64:192].astype(float) - whole[64:192, 64:192]).mean() < 25


def test_a_picture_without_a_face_falls_back_to_its_frame() -> None:
    crop, how = crops.cut(np.full((90, 120, 3), 77, np.uint8))
    assert how == "margin"
    assert crop.shape == (256, 256, 3)


def test_the_shard_is_made_once(portrait: Rgb, tmp_path: Path) -> None:
    listed = items(3)
    (tmp_path / "set").mkdir()
    for item in listed:
        Image.fromarray(portrait).save(tmp_path / item.path)
    with (tmp_path / "index.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["path", "label", "group", "method", "source_width"])
        writer.writerows([item.path, item.label, item.group, item.method, ""] for item in listed)
        writer.writerow(["set/clip.mp4", "fake", "g", "swap", ""])
    read = crops.read_index(tmp_path)
    assert read == listed
    shard = crops.prepare(tmp_path, read, tmp_path / "cache", workers=1)
    assert shard.crops.shape == (3, 256, 256, 3)
    assert {item.how for item in shard.items} == {"landmarks"}
    for item in listed:
        (tmp_path / item.path).unlink()
    assert len(crops.prepare(tmp_path, read, tmp_path / "cache").items) == 3


def test_a_wider_cut_holds_the_serving_crop_in_its_middle(portrait: Rgb) -> None:
    wide = crops.Cutting(300, 300 / 256)
    crop, landmarks = crops.cut_with_landmarks(portrait, wide)
    serving, inner = crops.cut_with_landmarks(portrait)
    assert landmarks is not None
    assert inner is not None
    assert crop.shape == (300, 300, 3)
    shard = crops.Shard(crop[None], tuple(items(1)), landmarks[None], wide)
    assert np.abs(crops.serving_crop(shard, 0).astype(float) - serving).mean() < 1
    assert landmarks - 22 == pytest.approx(inner, abs=0.5)
