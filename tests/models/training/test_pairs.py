from __future__ import annotations

import cv2
import numpy as np
import pytest

from models.training import augment, crops, pairs
from models.training.crops import Cutting, Item, Shard
from models.training.pairs import Mix, Pairs
from models.types import Rgb

WIDE = Cutting(300, 300 / 256)
MIX = Mix(side=96, fakes={"a": 1.0}, people={"a": 1.0, "b": 1.0})


@pytest.fixture(scope="module")
def shard(portrait: Rgb) -> Shard:
    """Set a: known pairs by group, the fake with a darker mouth. Set b: genuine faces of other colours."""
    rgb, landmarks = crops.cut_with_landmarks(portrait, WIDE)
    assert landmarks is not None
    fake = rgb.copy()
    fake[190:240, 110:190] //= 3
    pictures = [rgb, fake, rgb[..., ::-1], rgb[..., [1, 0, 2]]]
    items = (
        Item("a/0", "real", "g0", "", "a"),
        Item("a/1", "fake", "g0", "swap", "a"),
        Item("b/0", "real", "g1", "", "b"),
        Item("b/1", "real", "g2", "", "b"),
    )
    return Shard(np.stack(pictures), items, np.stack([landmarks] * 4), WIDE)


def drawn(shard: Shard, mix: Mix, count: int = 24, seed: int = 0) -> pairs.Batch:
    return Pairs(shard, np.arange(len(shard.items)), mix).batch(count, np.random.default_rng(seed))


def test_a_batch_is_half_fakes_each_beside_a_genuine_face(shard: Shard) -> None:
    batch = drawn(shard, MIX)
    assert batch.crops.shape == (48, 96, 96, 3)
    assert batch.crops.dtype == np.uint8
    assert batch.mask.shape == (48, 12, 12)
    assert batch.fake.tolist() == [1, 0] * 24
    assert not batch.mask[1::2].any()
    assert batch.masked[1::2].all()


def test_it_depends_on_the_seed_alone(shard: Shard) -> None:
    first, again, other = drawn(shard, MIX), drawn(shard, MIX), drawn(shard, MIX, seed=1)
    assert (first.crops == again.crops).all()
    assert (first.crops != other.crops).any()


def test_both_halves_of_a_pair_are_worn_alike(shard: Shard, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the alteration the two pictures of a pair are the same to the last bit: same place, same compression."""
    untouched = Shard(shard.crops[[0, 0]], shard.items[:2], shard.landmarks, WIDE)
    batch = drawn(untouched, Mix(side=96, made=0.0, fakes={"a": 1.0}))
    assert (batch.crops[0::2] == batch.crops[1::2]).all()
    assert len({crop.tobytes() for crop in batch.crops[0::2]}) > 20


def test_a_known_fake_of_the_same_frame_shows_where_it_was_altered(shard: Shard) -> None:
    batch = drawn(shard, Mix(side=96, made=0.0, fakes={"a": 1.0}))
    assert batch.masked.all()
    mean = batch.mask[0::2].mean(axis=0)
    assert mean[7:10, 4:8].mean() > 5 * max(mean[:4].mean(), 0.01)


def test_pictures_of_two_frames_have_no_mask(portrait: Rgb) -> None:
    rgb, _ = crops.cut_with_landmarks(portrait)
    assert pairs.altered(rgb, np.ascontiguousarray(rgb[:, ::-1])) is None
    same = pairs.altered(augment.recompressed(rgb, 80), augment.recompressed(rgb, 60))
    assert same is not None
    assert same.max() < 0.1


def test_a_set_without_fakes_gives_made_pairs(shard: Shard) -> None:
    genuine = Shard(shard.crops[[2, 3]], shard.items[2:], shard.landmarks, WIDE)
    batch = drawn(genuine, Mix(side=96))
    assert batch.masked.all()
    assert batch.mask[0::2].any(axis=(1, 2)).mean() > 0.9


def test_items_without_landmarks_are_not_blended(shard: Shard) -> None:
    assert shard.landmarks is not None
    landmarks = shard.landmarks.copy()
    landmarks[2:] = np.nan
    batch = drawn(Shard(shard.crops, shard.items, landmarks, WIDE), Mix(side=96, made=1.0))
    assert np.isfinite(batch.mask).all()


@pytest.mark.parametrize("margins", [(1.0, 1.0), (0.7, 0.7), (1.17, 1.17)])
def test_a_placement_shows_the_margin_it_was_asked_for(margins: tuple[float, float]) -> None:
    wide = []
    for seed in range(40):
        matrix = augment.placement(300, 256, 256, margins, np.random.default_rng(seed))
        corners = np.array([[0.0, 0.0], [256.0, 0.0]])
        inner = (corners - matrix[:, 2]) @ np.linalg.inv(matrix[:, :2]).T
        wide.append(float(np.hypot(*(inner[1] - inner[0]))))
    assert wide == pytest.approx([256 * margins[0]] * 40, rel=1e-6)


def test_a_placement_turns_picture_and_points_alike() -> None:
    picture = np.zeros((300, 300, 3), np.uint8)
    cv2.circle(picture, (120, 170), 4, (255, 255, 255), -1)
    for seed in range(10):
        matrix = augment.placement(300, 256, 256, (0.9, 1.1), np.random.default_rng(seed))
        y, x = np.argwhere(augment.placed(picture, matrix, 256)[..., 0] > 128).mean(axis=0)
        assert np.hypot(*(matrix[:, :2] @ [120, 170] + matrix[:, 2] - [x, y])) < 1
