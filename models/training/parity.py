"""The network a run kept, asked the same as the ONNX file that was made of it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime as ort
from numpy.typing import NDArray

from models import align
from models.manifest import Entry

MOST = 1e-3  # of an output's own size where that is above 1; a run's export was held to a tenth of it
CROPS = 4
CHECKPOINT, KEPT = "checkpoint.pt", "best.weights.h5"

Answers = Sequence[NDArray[np.float32]]
Network = Callable[[NDArray[np.uint8]], Answers]


def of(entry: Entry, out: Path) -> float | None:
    """Largest difference over all outputs, on noise; None where the run kept nothing to compare with."""
    session = ort.InferenceSession(str(entry.path), providers=["CPUExecutionProvider"])
    side = entry.input_size
    crops = np.random.default_rng(0).integers(0, 256, (CROPS, side, side, 3), dtype=np.uint8)
    answers = session.run(None, {"crops": crops})
    network = _network(entry, out / "work", answers)
    if network is None:
        return None
    pairs = zip(network(crops), answers, strict=True)
    return max(float(np.abs(a - np.asarray(b)).max()) / max(1.0, float(np.abs(a).max())) for a, b in pairs)


def _network(entry: Entry, work: Path, answers: Answers) -> Network | None:
    """`answers` of the graph: the size of a mask tells at which size the network looks."""
    if entry.name in ("blend", "synthetic"):
        return _of_torch(entry.name, work / CHECKPOINT, answers) if (work / CHECKPOINT).is_file() else None
    if entry.name in ("meso4", "mesoinception4", "meso4_video", "efficientnet"):
        return _of_keras(entry, work / KEPT) if (work / KEPT).is_file() else None
    return None


def _of_torch(name: str, checkpoint: Path, answers: Answers) -> Network:
    import torch

    from models.networks import lite0, residuals
    from models.training import synthetic

    tensors: dict[str, Any] = torch.load(checkpoint, weights_only=True, map_location="cpu")["best_network"]
    serving: torch.nn.Module
    if name == "blend":
        blocks = 1 + max(int(key.split(".")[2]) for key in tensors if key.startswith("trunk._blocks."))
        network = lite0.BlendNet(blocks)
        network.load_state_dict(tensors)
        serving = lite0.Serving(network, align.CROP_SIDE, answers[1].shape[1] * lite0.MASK_STRIDE)
    else:
        serving = residuals.Serving(residuals.restored(tensors), align.CROP_SIDE, synthetic.Mix().side)
    serving.eval()

    def ask(crops: NDArray[np.uint8]) -> Answers:
        with torch.no_grad():
            return [answer.numpy() for answer in serving(torch.from_numpy(crops))]

    return ask


def _of_keras(entry: Entry, kept: Path) -> Network:
    serve: Callable[[Any], tuple[Any, ...]]
    if entry.name == "efficientnet":
        from models.training import efficientnet

        network = efficientnet.Network(entry.title[-2:].lower(), None)
        network.model.load_weights(kept)
        serve = network.serving()
    else:
        from models.training import mesonet

        model = mesonet.build_inception() if entry.name == "mesoinception4" else mesonet.build()
        model.load_weights(kept)
        serve = mesonet.WithCam(model)
    return lambda crops: [np.asarray(answer, np.float32) for answer in serve(crops)]
