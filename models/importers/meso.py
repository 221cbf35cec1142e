"""The authors' Meso-4 and MesoInception-4 files (.h5, P(real)) to ONNX that answers p_fake and cam."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import keras
import numpy as np
from numpy.typing import NDArray

from models import align
from models.errors import WeightsError
from models.importers import install, known, tensors
from models.importers.known import Known
from models.manifest import Entry
from models.training import export, mesonet
from models.training.mesonet import SIDE
from models.types import Rgb

TITLES = {"meso4": "Meso-4", "mesoinception4": "MesoInception-4"}
SOURCE = "published weights of Afchar et al. 2018 (MesoNet)"


def run(name: str, path: Path, pictures: Known | None = None) -> Entry:
    network = load(name, path)
    serve = mesonet.WithCam(network)
    answer = known.ask(pictures, lambda crops: _scores(serve, crops), align.WIDEST_MARGIN, SIDE) if pictures else None
    known.refuse_reversed(answer, "The authors' files hold P(real); this one does not.")
    graph = install.folder() / f"{name}.partial.onnx"
    try:
        export.to_onnx(serve, SIDE, ("p_fake", "cam"), graph)
        noise = np.random.default_rng(0).integers(0, 256, (4, SIDE, SIDE, 3), dtype=np.uint8)
        parity = export.check_parity(serve, graph, noise)
        file, sha256 = install.keep(graph, name)
    finally:
        graph.unlink(missing_ok=True)
    kind = "reenactment" if "F2F" in path.name.upper() else "face_swap"
    table = {
        "file": file,
        "sha256": sha256,
        "version": f"imported-{sha256[:8]}",
        "title": TITLES[name],
        "licence": "Apache-2.0, as the authors published it",
        "source": f"{SOURCE}, {path.name[:80]}",
        "trained_on": "the authors' faces (Face2Face or Deepfakes from the web)",
        "kinds": [kind],
        "input_size": SIDE,
    }
    return install.install(name, table, _card(name, path, kind, parity, answer))


def _scores(serve: mesonet.WithCam, crops: Sequence[Rgb]) -> NDArray[np.float64]:
    return np.concatenate([np.asarray(serve(crop[None])[0], np.float64) for crop in crops])


def load(name: str, path: Path) -> keras.Model:
    """Our own network with the file's arrays, by position; its last layer is turned round to the logit of fake."""
    network = mesonet.build() if name == "meso4" else mesonet.build_inception()
    places = [layer for layer in network.layers if layer.weights]
    found = tensors.layers_of_h5(path)
    wanted = [[tuple(weight.shape) for weight in layer.weights] for layer in places]
    if [[array.shape for array in layer] for layer in found] != wanted:
        raise WeightsError(f"{path.name} is not {TITLES[name]}: its layers have other shapes. Is it another network?")
    for layer, arrays in zip(places, found, strict=True):
        layer.set_weights([-array for array in arrays] if layer.name == "logit" else arrays)
    return network


def _card(name: str, path: Path, kind: str, parity: float, answer: known.Answer | None) -> str:
    return f"""# {TITLES[name]}, published weights

Imported from `{path.name[:80]}`: the network and weights of Afchar et al. 2018 (MesoNet, Apache-2.0). Aligned face,
RGB, 256 px. Made to tell **{kind.replace("_", " ")}**. ONNX against Keras: largest difference {parity:.1e}.
Known pictures: {answer or "none were given"}.

## How well

On the authors' own validation faces the `_DF` files reach AUC .969 (Meso-4) and .978 (MesoInception-4); on face swaps
of the OpenForensics kind .522 and .581, which is chance. Published by others: .556 and .623 on DFDC.

## Where it fails

- Anything but the method it was trained on: the `_F2F` files call face swaps real.
- It has no calibration here until one is fitted on these weights: its score is shown with weight 0.
- False alarms by age, gender and skin colour have not been measured.
"""
