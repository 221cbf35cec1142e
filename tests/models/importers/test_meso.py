from __future__ import annotations

from pathlib import Path
from typing import Any

import h5py
import numpy as np
import onnxruntime as ort
import pytest
from PIL import Image

from models import catalogue, manifest, registry
from models.errors import WeightsError
from models.importers import install

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")


def network(name: str) -> Any:
    from models.training import mesonet

    return mesonet.build() if name == "meso4" else mesonet.build_inception()


def as_keras_2(model: Any, path: Path) -> Path:
    """The authors' way of writing: layers by name, in order."""
    with h5py.File(path, "w") as file:
        file.attrs["layer_names"] = [layer.name.encode() for layer in model.layers]
        for layer in model.layers:
            group = file.create_group(layer.name)
            names = [f"{layer.name}/{i}:0".encode() for i in range(len(layer.weights))]
            group.attrs["weight_names"] = names
            for key, weight in zip(names, layer.get_weights(), strict=True):
                group[key.decode()] = weight
    return path


def he(rng: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    return rng.normal(0, 0.5 / np.sqrt(np.prod(shape[:-1])), shape)


def given(model: Any, crops: np.ndarray) -> np.ndarray:
    """P(real), as the authors' network answers."""
    logit = np.asarray(model(crops.astype(np.float32) / 255, training=False))[:, 0]
    return np.asarray(1 / (1 + np.exp(-logit.astype(np.float64))))


@pytest.mark.parametrize("name", ["meso4", "mesoinception4"])
def test_any_weights_answer_as_keras_does(name: str, weights: Path, tmp_path: Path) -> None:
    from models.importers import meso

    rng = np.random.default_rng(0)
    model = network(name)
    model.set_weights([rng.uniform(0.1, 1, w.shape) if w.ndim == 1 else he(rng, w.shape) for w in model.get_weights()])
    entry = meso.run(name, as_keras_2(model, tmp_path / "weights_F2F.h5"))
    assert entry.folder == weights / "local"
    assert entry.kinds == ("reenactment",)
    assert name in registry.installed()
    assert "ONNX against Keras" in catalogue.card(name, entry)
    crops = rng.integers(0, 256, (5, 256, 256, 3), dtype=np.uint8)
    p_fake, cam = ort.InferenceSession(str(entry.path)).run(["p_fake", "cam"], {"crops": crops})
    assert 0.01 < p_fake.min() < p_fake.max() < 0.99
    assert np.abs(p_fake - (1 - given(model, crops))).max() < 1e-4
    assert cam.shape == (5, 32, 32)
    install.remove(name)
    assert name not in registry.installed()
    assert not list((weights / "local").glob("*.onnx"))


@pytest.mark.parametrize(("name", "file"), [("meso4", "Meso4_DF.h5"), ("mesoinception4", "MesoInception_DF.h5")])
def test_published_weights_know_the_reference_faces(data: Path, weights: Path, name: str, file: str) -> None:
    from models.importers import meso

    entry = meso.run(name, data / "weights" / file)
    published = network(name)
    published.load_weights(data / "weights" / file)
    session = ort.InferenceSession(str(entry.path))
    paths = sorted((data / "reference_faces").glob("*.jpg"))
    assert len(paths) == 4
    for path in paths:
        picture = Image.open(path).convert("RGB").resize((256, 256), Image.Resampling.NEAREST)
        crops = np.asarray(picture, np.uint8)[None]
        p_fake = float(session.run(["p_fake"], {"crops": crops})[0][0])
        assert p_fake == pytest.approx(1 - given(published, crops)[0], abs=1e-4)
        assert p_fake > 0.6 if path.stem.startswith("df") else p_fake < 0.4


def test_another_network_is_refused(weights: Path, tmp_path: Path) -> None:
    from models.importers import meso

    other = as_keras_2(network("meso4"), tmp_path / "m.h5")
    with pytest.raises(WeightsError, match="is not MesoInception-4"):
        meso.run("mesoinception4", other)
    with h5py.File(tmp_path / "n.h5", "w") as file:
        file["a"] = np.ones(3)
    with pytest.raises(WeightsError, match="as Keras 2 writes"):
        meso.run("meso4", tmp_path / "n.h5")
    assert manifest.read() == {}
    assert not list(weights.rglob("*.onnx"))
