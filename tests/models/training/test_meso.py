from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from models import calibrate, catalogue, manifest
from models.errors import DatasetError
from models.training import split
from models.training.crops import Item, Shard

# Keras asks TensorFlow's variables for an array in a way numpy 2 has given up.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")


@pytest.fixture(scope="module")
def network() -> Any:
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    from models.training import mesonet

    return mesonet.build()


@pytest.fixture(scope="module")
def shard() -> Shard:
    """Fakes carry a fine checkerboard: something 28,000 weights can learn in a few steps."""
    rng = np.random.default_rng(0)
    by_part: dict[str, list[str]] = {"train": [], "judge": [], "calibrate": []}
    for i in range(2000):
        by_part[split.part_of(f"g{i}")].append(f"g{i}")
    groups = by_part["train"][:110] + by_part["judge"][:110] + by_part["calibrate"][:220]
    items = tuple(
        Item(f"mesonet_train/{i}.png", ("real", "fake")[i % 2], group, "swap", "mesonet_train", "landmarks")
        for i, group in enumerate(groups)
    )
    board = np.indices((256, 256)).sum(axis=0) % 2 * 60
    crops = np.repeat(rng.integers(60, 180, (len(items), 1, 1, 3), dtype=np.uint8), 256, axis=1).repeat(256, axis=2)
    crops[1::2] += board[None, :, :, None].astype(np.uint8)
    return Shard(crops, items)


def test_it_has_the_authors_number_of_weights(network: Any) -> None:
    assert network.count_params() == 28_073


def test_cam_is_the_gradient_of_the_logit(network: Any) -> None:
    import keras
    import tensorflow as tf

    from models.training import mesonet

    crops = np.random.default_rng(0).integers(0, 255, (3, 256, 256, 3), dtype=np.uint8)
    p_fake, cam = mesonet.WithCam(network)(crops)
    names = [layer.name for layer in network.layers]
    above = network.layers[names.index(mesonet.FEATURES) + 1 :]
    below = keras.Model(network.inputs[0], network.get_layer(mesonet.FEATURES).output)
    maps = below(crops.astype(np.float32) / 255, training=False)
    with tf.GradientTape() as tape:
        tape.watch(maps)
        x = maps
        for layer in above:
            x = layer(x, training=False)
    gradient = tape.gradient(x, maps)
    importance = tf.reduce_mean(gradient, axis=(1, 2))
    wanted = tf.nn.relu(tf.einsum("nhwc,nc->nhw", maps, importance))
    assert cam.shape == (3, 32, 32)
    assert float(np.abs(cam - wanted).max()) < 1e-5 * max(1.0, float(np.abs(wanted).max()))
    assert np.allclose(p_fake, tf.sigmoid(x)[:, 0], atol=1e-6)


def test_the_export_answers_as_the_network_does(network: Any, tmp_path: Path) -> None:
    from models.training import export, mesonet

    serve = mesonet.WithCam(network)
    sha256 = export.to_onnx(serve, mesonet.SIDE, ("p_fake", "cam"), tmp_path / "m.onnx")
    crops = np.random.default_rng(1).integers(0, 255, (4, 256, 256, 3), dtype=np.uint8)
    assert export.check_parity(serve, tmp_path / "m.onnx", crops) < export.PARITY
    assert len(sha256) == 64
    with pytest.raises(export.ParityError):
        export.check_parity(lambda x: tuple(y + 1 for y in serve(x)), tmp_path / "m.onnx", crops)


def test_published_weights_load_and_answer_as_published(data: Path) -> None:
    """The authors' Meso4_DF answers P(real); values of design/detectors.md, nearest-neighbour scaling."""
    from models.training import mesonet

    network = mesonet.build()
    network.load_weights(data / "weights" / "Meso4_DF.h5")
    answers = {}
    for path in sorted((data / "reference_faces").rglob("*.[jp][pn]g")):
        picture = Image.open(path).convert("RGB").resize((256, 256), Image.Resampling.NEAREST)
        logit = network(np.asarray(picture, np.float32)[None] / 255, training=False)
        answers[path.stem] = 1 / (1 + np.exp(-float(logit[0, 0])))
    real = sorted(p for name, p in answers.items() if name.startswith("real"))
    fake = sorted(p for name, p in answers.items() if name.startswith("df"))
    assert fake == pytest.approx([0.041412, 0.048694], abs=2e-3)
    assert real == pytest.approx([0.989748, 0.997702], abs=2e-3)


@pytest.mark.parametrize("name", ["meso4", "mesoinception4"])
def test_training_learns_goes_on_and_publishes(
    name: str, shard: Shard, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from models.training import meso, publish
    from models.training.loop import Plan

    recipe = meso.RECIPES[name]
    plan = Plan(minutes=60, seed=1, batch=8, most_steps=6, warm_up=1, save_seconds=0.0)
    _, first = meso.train(recipe, shard, tmp_path / "work", plan, resume=False)
    assert first.steps == 6
    further = Plan(minutes=60, seed=1, batch=8, most_steps=12, warm_up=1)
    model, resumed = meso.train(recipe, shard, tmp_path / "work", further, resume=True)
    assert resumed.steps == 12
    assert resumed.seconds > first.seconds
    assert (tmp_path / "work" / "curves.png").stat().st_size > 5000
    (tmp_path / "index.csv").write_text("path,label,group,method,source_width\n")
    exported = meso.export_to(model, name, shard, tmp_path)
    publish.publish(exported, recipe.words, resumed, shard, tmp_path, tmp_path, seed=1)
    (entry,) = manifest.read(tmp_path / "weights").values()
    assert entry.polarity == "high is fake"
    assert calibrate.load(tmp_path / "weights" / "calibration.toml").detectors[name].weights == entry.sha256
    monkeypatch.setattr(manifest, "WEIGHTS", tmp_path / "weights")
    monkeypatch.setattr(catalogue, "CARDS", tmp_path / "cards")
    listed = next(entry for entry in catalogue.catalogue() if entry["name"] == name)
    assert listed["installed"]
    assert "Where it fails" in listed["card"]
    assert f"| {name}" in (tmp_path / "cards" / "runs.md").read_text()


def test_an_index_of_one_label_is_refused(tmp_path: Path) -> None:
    from models.training import meso
    from models.training.plan import Wish

    (tmp_path / "index.csv").write_text("path,label,group,method,source_width\nother/a.jpg,real,g,none,\n")
    with pytest.raises(DatasetError, match="both labels"):
        meso.run("meso4", tmp_path / "index.csv", tmp_path, Wish())
