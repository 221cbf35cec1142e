"""A foreign EfficientNet (.keras or .h5) to ONNX. The network is built here; of the file only arrays are read."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from models.errors import WeightsError
from models.importers import install, known, tensors
from models.importers.known import Known
from models.manifest import Entry
from models.networks import efficientnet
from models.training import export
from models.types import Rgb

NAME = "efficientnet"
_KERAS_3 = "depthwise_conv2d/vars/"
MARGIN = 1.33  # the whole aligned crop: what the old application cut is not recorded


def run(
    path: Path, side: int, scale: float, fake_is: str, pictures: Known | None = None, base: str | None = None
) -> Entry:
    """`scale`: what its own pipeline multiplied 0-255 pictures by; `fake_is`: which end of the sigmoid, high or low."""
    found = tensors.of_keras(path)
    base = base or _base(found, path)
    body, hidden, last = efficientnet.build(base, side)
    fill(body, hidden, last, found, path.name)
    serve = efficientnet.WithCam(body, hidden, last, scale, high=fake_is == "high")
    answer = known.ask(pictures, lambda crops: _scores(serve, crops), MARGIN, side) if pictures else None
    known.refuse_reversed(answer, f"Import it with --fake-is {'low' if fake_is == 'high' else 'high'}.")
    graph = install.folder() / f"{NAME}.partial.onnx"
    try:
        export.to_onnx(serve, side, ("p_fake", "cam"), graph)
        noise = np.random.default_rng(0).integers(0, 256, (2, side, side, 3), dtype=np.uint8)
        parity = export.check_parity(serve, graph, noise)
        file, sha256 = install.keep(graph, NAME)
    finally:
        graph.unlink(missing_ok=True)
    table = {
        "file": file,
        "sha256": sha256,
        "version": f"imported-{sha256[:8]}",
        "title": f"EfficientNet{base.upper()}",
        "licence": "that of the file: ask who trained it",
        "source": f"imported from {path.name[:80]}, --input-scale {scale:g} --fake-is {fake_is}",
        "trained_on": "not recorded in the file",
        "kinds": ["face_swap"],
        "input_size": side,
        "margin": MARGIN,
        "polarity": "high is fake" if answer and answer.sure > 0 else "undecided",
    }
    return install.install(NAME, table, _card(table, parity, answer))


def fill(
    body: keras.Model,
    hidden: keras.layers.Dense,
    last: keras.layers.Dense,
    found: tensors.Arrays,
    name: str,
) -> None:
    fill_body(body, found, name)
    for layer in (hidden, last):
        layer.set_weights(_dense(found, tuple(layer.kernel.shape), name))


def fill_body(body: keras.Model, found: tensors.Arrays, name: str) -> None:
    """Both ways Keras writes: by the layers' names (Keras 2 and .h5), by class and number (.keras)."""
    container = next((path.partition(_KERAS_3)[0] for path in found if _KERAS_3 in path), None)
    arrays = _named(body, found) if container is None else _numbered(body, found, container)
    for layer in (layer for layer in body.layers if layer.weights):
        given = arrays.get(layer.name, [])
        wanted = [tuple(weight.shape) for weight in layer.weights]
        if isinstance(layer, keras.layers.Normalization):  # older ones keep (1, 1, 1, 3)
            given = [array.reshape(-1) if array.size == 3 else array for array in given]
        if [array.shape for array in given] != wanted:
            raise WeightsError(f"{name} is not {body.name}: {layer.name} is missing or has another shape.")
        if isinstance(layer, keras.layers.Normalization):
            mean, variance, count = given
            if efficientnet.starts_from_imagenet(mean):
                variance = variance * np.asarray(efficientnet.IMAGENET_STD, np.float32)
            layer.set_weights([mean, variance, count])
            layer.finalize_state()
        else:
            layer.set_weights(given)


_ORDER = (
    "kernel", "depthwise_kernel", "bias", "gamma", "beta", "moving_mean", "moving_variance",
    "mean", "variance", "count",
)  # fmt: skip


def _numbered(body: keras.Model, found: tensors.Arrays, container: str) -> dict[str, list[NDArray[np.float32]]]:
    seen: dict[str, int] = {}
    arrays = {}
    for layer in body.layers:
        kind = _snake(type(layer).__name__)
        number = seen[kind] = seen.get(kind, -1) + 1
        prefix = f"{container}{kind}{f'_{number}' if number else ''}/vars/"
        paths = [path for path in found if path.startswith(prefix)]
        arrays[layer.name] = [found[path] for path in sorted(paths, key=lambda path: int(path[len(prefix) :]))]
    return arrays


def _named(body: keras.Model, found: tensors.Arrays) -> dict[str, list[NDArray[np.float32]]]:
    arrays: dict[str, dict[str, NDArray[np.float32]]] = {}
    for path, array in found.items():
        *_, layer, variable = ["", *path.split("/")]
        arrays.setdefault(layer, {})[variable.split(":")[0]] = array
    normalization = next(layer.name for layer in body.layers if isinstance(layer, keras.layers.Normalization))
    theirs = next((name for name in arrays if name.startswith("normalization")), normalization)
    arrays[normalization] = arrays.get(theirs, {})
    return {layer: [values[key] for key in _ORDER if key in values] for layer, values in arrays.items()}


def _dense(found: tensors.Arrays, shape: tuple[int, ...], name: str) -> list[NDArray[np.float32]]:
    """Kernel and bias of the one dense layer of that shape, whatever it is called."""
    kernels = [path for path, array in found.items() if array.shape == shape]
    if len(kernels) == 1:
        folder = kernels[0].rpartition("/")[0]
        biases = [array for path, array in found.items() if path.startswith(f"{folder}/") and array.shape == shape[1:]]
        if len(biases) == 1:
            return [found[kernels[0]], biases[0]]
    raise WeightsError(f"{name} is another network: it needs one dense layer of {shape[0]} to {shape[1]}.")


def _base(found: tensors.Arrays, path: Path) -> str:
    """B0's last maps are 1280, B7's 2560."""
    for base, channels in (("b0", 1280), ("b7", 2560)):
        if any(array.shape == (channels, efficientnet.HIDDEN) for array in found.values()):
            return base
    raise WeightsError(f"{path.name} is another network: EfficientNet B0 or B7 with a dense layer of 1024 is known.")


def _scores(serve: efficientnet.WithCam, crops: Sequence[Rgb]) -> NDArray[np.float64]:
    return np.concatenate([np.asarray(serve(crop[None])[0], np.float64) for crop in crops])


def _snake(name: str) -> str:
    """Keras' own way: Conv2D -> conv2d, BatchNormalization -> batch_normalization."""
    return re.sub("([a-z])([A-Z])", r"\1_\2", re.sub("(.)([A-Z][a-z]+)", r"\1_\2", name)).lower()


def _card(table: Mapping[str, Any], parity: float, answer: known.Answer | None) -> str:
    stands = (
        "confirmed" if table["polarity"] != "undecided" else "**undecided: it abstains** till known pictures decide"
    )
    return f"""# {table["title"]}, imported

{table["source"]}. One aligned face at {table["input_size"]} px, the network that was built here with the file's arrays;
ONNX against Keras: largest difference {parity:.1e}. Its heatmap is Grad-CAM.

Which end means fake was stated at import and is {stands}. Known pictures: {answer or "none were given"}.
When the file's normalization is ImageNet's, the extra division that Keras builds in with ImageNet weights is applied.

## How well

Not measured here. What its author reported holds for the author's pictures and crops.

## Where it fails

- How its training pictures were cut is not in the file: it sees the whole aligned crop.
- It has no calibration here until one is fitted on these weights: its score is shown with weight 0.
- False alarms by age, gender and skin colour have not been measured.
"""
