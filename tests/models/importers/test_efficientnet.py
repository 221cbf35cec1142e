from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import onnxruntime as ort
import pytest

from models import manifest, registry
from models.detectors.efficientnet import EfficientNet
from models.errors import WeightsError
from models.importers.known import Known
from models.types import Abstained, Context, Face, MediaInfo, Score

SIDE = 64
CONTEXT = Context(MediaInfo("image", "image/png", 512, 512, 0.0, 1), 1)
pytestmark = [
    pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning"),
    pytest.mark.filterwarnings("ignore:.*HDF5 file:UserWarning"),
]


@pytest.fixture(scope="module")
def pictures() -> np.ndarray:
    small = np.random.default_rng(0).integers(0, 256, (8, 4, 4, 3), dtype=np.uint8)
    return small.repeat(SIDE // 4, axis=1).repeat(SIDE // 4, axis=2)


@pytest.fixture(scope="module")
def theirs(pictures: np.ndarray) -> Any:
    """B0 with the head of the known application, in both shapes people build it in."""
    import keras
    from keras import layers

    keras.utils.set_random_seed(0)
    base = keras.applications.EfficientNetB0(include_top=False, weights=None, input_shape=(SIDE, SIDE, 3))
    norms = [layer for layer in base.layers if isinstance(layer, layers.BatchNormalization)]
    for layer in norms:
        layer.momentum = 0.0  # one look gives every layer the statistics of these pictures, so they are told apart
    base(pictures.astype(np.float32), training=True)
    for layer in norms:  # and none is so keen that rounding shows
        *others, variance = layer.get_weights()
        layer.set_weights([*others, variance + 0.1 * variance.mean() + 0.003])
    x = layers.Dense(1024, activation="relu")(layers.GlobalAveragePooling2D()(base.output))
    flat = keras.Model(base.input, layers.Dense(1, activation="sigmoid")(x))
    flat.layers[-1].set_weights([20 * flat.layers[-1].get_weights()[0], np.zeros(1)])
    return {"flat": flat, "nested": keras.Sequential([base, layers.GlobalAveragePooling2D(), *flat.layers[-2:]])}


def raw(theirs: Any, pictures: np.ndarray) -> np.ndarray:
    return np.asarray(theirs["flat"](pictures.astype(np.float32), training=False))[:, 0]


@pytest.mark.parametrize("ending", [".h5", ".keras", ".weights.h5"])
@pytest.mark.parametrize("shape", ["flat", "nested"])
def test_either_shape_and_format_answers_as_keras_does(
    theirs: Any, pictures: np.ndarray, tmp_path: Path, shape: str, ending: str
) -> None:
    from models.importers import efficientnet, tensors
    from models.networks import efficientnet as network

    path = tmp_path / f"m{ending}"
    theirs[shape].save_weights(path) if "weights" in ending else theirs[shape].save(path)
    body, hidden, last = network.build("b0", SIDE)
    efficientnet.fill(body, hidden, last, tensors.of_keras(path), path.name)
    p_fake, _ = network.WithCam(body, hidden, last, 1.0, high=True)(pictures)
    assert np.abs(np.asarray(p_fake) - raw(theirs, pictures)).max() < 1e-5


def test_an_import_is_equal_to_keras_confirmed_by_known_pictures_and_served(
    theirs: Any, pictures: np.ndarray, weights: Path, tmp_path: Path
) -> None:
    from models.importers import efficientnet

    path = tmp_path / "m.keras"
    theirs["nested"].save(path)
    crops = [np.asarray(p.repeat(4, axis=0).repeat(4, axis=1)) for p in pictures]
    p_fake = 1 - raw(theirs, pictures)
    assert np.ptp(p_fake) > 0.01
    known = Known(tuple(crops), p_fake > np.median(p_fake))
    with pytest.raises(WeightsError, match=r"other way round.*--fake-is low"):
        efficientnet.run(path, SIDE, 1.0, "high", known)
    assert manifest.read() == {}, "a refused import changes nothing"
    entry = efficientnet.run(path, SIDE, 1.0, "low", known)
    given, cam = ort.InferenceSession(str(entry.path)).run(["p_fake", "cam"], {"crops": pictures})
    assert np.abs(given - p_fake).max() < 1e-4
    assert cam.shape == (8, 2, 2)
    assert cam.min() >= 0
    face = Face(0.0, (0, 0, 9, 9), 1.0, crops[0], np.zeros((68, 2), np.float32))
    said = registry.load("efficientnet", 1).score([face, face], CONTEXT)
    assert isinstance(said, Score)
    assert said.per_face == pytest.approx([float(p_fake[0])] * 2, abs=0.05)
    undecided = EfficientNet(replace(entry, polarity="undecided"), 1)
    assert undecided.score([face], CONTEXT) == Abstained("polarity_undecided")


def test_old_pipelines_scale_and_cam_are_reproduced(theirs: Any, pictures: np.ndarray) -> None:
    import tensorflow as tf

    from models.networks import efficientnet as network

    base, _, hidden, last = theirs["nested"].layers
    logits = type(last)(1)
    logits(hidden.output)
    logits.set_weights(last.get_weights())
    p_fake, cam = network.WithCam(base, hidden, logits, 1 / 255, high=False)(pictures)
    maps = base(pictures.astype(np.float32) / 255, training=False)
    with tf.GradientTape() as tape:
        tape.watch(maps)
        real = logits(hidden(tf.reduce_mean(maps, axis=(1, 2))))
    importance = -tf.reduce_mean(tape.gradient(real, maps), axis=(1, 2))
    wanted = tf.nn.relu(tf.einsum("nhwc,nc->nhw", maps, importance))
    assert np.allclose(p_fake, tf.sigmoid(-real)[:, 0], atol=1e-6)
    assert np.allclose(cam, wanted, atol=1e-4 * max(1.0, float(np.abs(wanted).max())))


def test_imagenets_extra_division_is_applied() -> None:
    import keras

    from models.importers import efficientnet
    from models.networks import efficientnet as network

    body, hidden, last = network.build("b0", SIDE)
    arrays = {f"{layer.name}/{w.name}": w.numpy() for layer in body.layers for w in layer.weights}
    arrays |= {"d/kernel": hidden.kernel.numpy(), "d/bias": np.zeros(1024), "e/kernel": last.kernel.numpy()}
    name = next(layer.name for layer in body.layers if isinstance(layer, keras.layers.Normalization))
    arrays |= {"e/bias": np.zeros(1), f"{name}/mean": np.array([0.485, 0.456, 0.406]), f"{name}/variance": np.ones(3)}
    efficientnet.fill(body, hidden, last, arrays, "x.h5")
    assert body.get_layer(name).get_weights()[1] == pytest.approx([0.229, 0.224, 0.225])


def test_others_are_refused(theirs: Any, weights: Path, tmp_path: Path) -> None:
    from models.importers import efficientnet

    with h5py.File(tmp_path / "a.h5", "w") as file:
        file["dense/kernel"] = np.zeros((512, 1024), np.float32)
    with pytest.raises(WeightsError, match="B0 or B7"):
        efficientnet.run(tmp_path / "a.h5", SIDE, 1.0, "high")
    theirs["flat"].save(tmp_path / "b.h5")
    with h5py.File(tmp_path / "b.h5", "r+") as file:
        del file["model_weights/block4a_dwconv"]
    with pytest.raises(WeightsError, match="block4a_dwconv is missing"):
        efficientnet.run(tmp_path / "b.h5", SIDE, 1.0, "high")
    assert manifest.read() == {}


def test_a_configuration_in_the_file_is_ignored(theirs: Any, weights: Path, tmp_path: Path) -> None:
    """A Lambda layer in a .keras archive is code: its network is never built."""
    import zipfile

    from models.importers import efficientnet, tensors

    path = tmp_path / "m.keras"
    theirs["flat"].save(path)
    with zipfile.ZipFile(path) as archive:
        arrays = archive.read("model.weights.h5")
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("config.json", '{"class_name": "Lambda", "config": {"function": "boom"}}')
        archive.writestr("model.weights.h5", arrays)
    assert efficientnet._base(tensors.of_keras(path), path) == "b0"
