from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from models.training import split
from models.training.shard import Item, Shard
from models.types import Rgb

# Keras asks TensorFlow's variables for an array in a way numpy 2 has given up.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")


@pytest.fixture(scope="module")
def shard() -> Shard:
    by_part: dict[str, list[str]] = {"train": [], "judge": [], "calibrate": []}
    for i in range(200):
        by_part[split.part_of(f"g{i}")].append(f"g{i}")
    groups = [*by_part["train"][:8], *by_part["judge"][:6]]
    items = tuple(Item(f"{i}.png", ("real", "fake")[i % 2], group, "", "mine") for i, group in enumerate(groups))
    return Shard(np.random.default_rng(0).integers(0, 256, (len(items), 256, 256, 3), dtype=np.uint8), items)


def test_a_base_that_starts_from_a_file_stays_frozen_and_the_best_is_exported(shard: Shard, tmp_path: Path) -> None:
    import keras

    from models.training import efficientnet
    from models.training.loop import Plan

    keras.utils.set_random_seed(0)
    known = keras.applications.EfficientNetB0(include_top=False, weights=None, input_shape=(64, 64, 3))
    known.save(tmp_path / "b0.h5", include_optimizer=False)
    start = tmp_path / "b0.h5"
    plan = Plan(60, 1, 1, batch=2, warm_up=1)
    network, trained = efficientnet.train(shard, tmp_path, plan, False, "b0", start)
    assert trained.steps == 1
    trainable = sum(int(np.prod(weight.shape)) for weight in network.model.trainable_weights)
    assert trainable == 1280 * 1024 + 1024 + 1024 + 1, "the head alone"
    kernel = network.body.get_layer("stem_conv").get_weights()[0]
    assert np.array_equal(kernel, known.get_layer("stem_conv").get_weights()[0])
    exported = network.exported(shard, tmp_path / "out")
    assert exported.parity < 1e-4
    said = efficientnet.words("b0", start)
    assert "frozen weights of b0.h5" in said.source
    assert efficientnet.words("b7", None).title == "EfficientNetB7"


def test_faces_are_turned_moved_and_mirrored_by_chance(portrait: Rgb) -> None:
    from models.training.efficientnet import moved

    crop = np.ascontiguousarray(portrait[:256, 100:356])
    first, again, other = (moved(crop, np.random.default_rng(seed)) for seed in (1, 1, 2))
    assert first.shape == crop.shape
    assert (first == again).all()
    assert (first != other).any()
