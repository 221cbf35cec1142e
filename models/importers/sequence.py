"""Published ResNeXt50 + LSTM files (model_{accuracy}_acc_{frames}_frames_FF_data.pt) to ONNX: an extractor and a head.

Files whose extractors hold the same weights share one; fine-tuned ones differ, and then each brings its own.
"""

from __future__ import annotations

import hashlib
import re
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime as ort
import torch
from torch import Tensor, nn

from models import manifest
from models.errors import WeightsError
from models.importers import install, tensors
from models.manifest import Entry
from models.networks import resnext

NAME = "sequence"
FILE_NAME = re.compile(r"model_(\d+(?:\.\d+)?)_acc_(\d+)_frames")
MARGIN = 1.0  # the boxes of face_recognition's finder, as they are
PARITY = 1e-3  # relative to the largest value
OPSET = 17


def run(paths: Sequence[Path], pooling: str = "mean", over_time: bool = False) -> Entry:
    """Adds these files to those that are installed; one of the same length and accuracy takes its place."""
    before = manifest.read().get(NAME)
    parts = {(part["frames"], part["accuracy"]): dict(part) for part in (before.parts if before else ())}
    worst = 0.0
    for path in paths:
        part, parity = _part(path, pooling, over_time, list(parts.values()))
        parts[part["frames"], part["accuracy"]] = part
        worst = max(worst, parity)
    table = {
        "version": "imported-" + hashlib.sha256(repr(sorted(parts.items())).encode()).hexdigest()[:8],
        "title": "ResNeXt50 + LSTM",
        "licence": "that of the files: ask who trained them",
        "source": f"imported from {', '.join(path.name[:60] for path in paths)[:400]}",
        "trained_on": "FaceForensics++ by the files' names",
        "kinds": ["face_swap"],
        "input_size": resnext.SIDE,
        "margin": MARGIN,
        "colour_order": "bgr",
        "parts": [parts[key] for key in sorted(parts)],
    }
    return install.install(NAME, table, _card(table, worst))


def load(path: Path) -> resnext.Sequence:
    """Our own network with the file's tensors; the number of hidden units and the LSTM's biases are read off them."""
    found = tensors.of_torch(path)
    recurrent = found.get("lstm.weight_hh_l0")
    if recurrent is None or recurrent.ndim != 2:
        raise WeightsError(f"{path.name} is another network: it has no lstm.weight_hh_l0.")
    with torch.device("meta"):  # nothing is filled with numbers that are replaced at once
        network = resnext.Sequence(recurrent.shape[1], bias="lstm.bias_ih_l0" in found)
    try:
        network.load_state_dict(found, assign=True)
    except RuntimeError as error:
        reason = str(error).splitlines()[1].strip()[:160] if "\n" in str(error) else str(error)[:160]
        raise WeightsError(f"{path.name} is another network than ResNeXt50 + LSTM: {reason}") from error
    return network.float().eval()


def export(module: nn.Module, example: Tensor, names: Sequence[str], path: Path) -> float:
    """Write the graph; the largest difference to PyTorch on the example, relative to the largest value."""
    source, *outputs = names
    with warnings.catch_warnings(), torch.no_grad():
        warnings.simplefilter("ignore")  # the tracing exporter is on its way out; the other needs onnxscript
        wanted = module(example)
        torch.onnx.export(
            module, (example,), path, dynamo=False, input_names=[source], output_names=outputs,
            dynamic_axes={name: {0: "n"} for name in names}, opset_version=OPSET,
        )  # fmt: skip
    wanted = wanted if isinstance(wanted, tuple) else (wanted,)
    given = ort.InferenceSession(str(path), providers=["CPUExecutionProvider"]).run(outputs, {source: example.numpy()})
    differences = [
        float(np.abs(a - b.numpy()).max() / max(1e-6, float(b.abs().max()))) for a, b in zip(given, wanted, strict=True)
    ]
    if not max(differences) < PARITY:
        raise WeightsError(f"The exported {type(module).__name__} differs from PyTorch's by {max(differences):.1e}.")
    return max(differences)


def _part(
    path: Path, pooling: str, over_time: bool, others: Sequence[Mapping[str, Any]]
) -> tuple[dict[str, Any], float]:
    named = FILE_NAME.search(path.name)
    if named is None:
        raise WeightsError(f"{path.name}: name the file model_ACCURACY_acc_FRAMES_frames_FF_data.pt, as published.")
    network = load(path)
    extractor, from_torch = _extractor(network, others)
    examples = torch.rand((5, resnext.FEATURES), generator=torch.Generator().manual_seed(0))
    head = install.folder() / f"{NAME}-head.partial.onnx"
    try:
        parity = export(resnext.Head(network, pooling, over_time), examples, ("features", "p_fake", "per_face"), head)
        file, sha256 = install.keep(head, f"{NAME}-head-{named[2]}")
    finally:
        head.unlink(missing_ok=True)
    part = {
        "frames": int(named[2]),
        "accuracy": float(named[1]),
        **extractor,
        "head": file,
        "head_sha256": sha256,
        "pooling": pooling,
        "recurrence": "over time" if over_time else "as published",
    }
    return part, max(parity, from_torch)


def _extractor(network: resnext.Sequence, others: Sequence[Mapping[str, Any]]) -> tuple[dict[str, Any], float]:
    """The extractor of a part that has the same weights, or a new one."""
    digest = hashlib.sha256()
    for name, tensor in network.model.state_dict().items():
        digest.update(name.encode() + tensor.numpy().tobytes())
    trunk, keys = digest.hexdigest(), ("trunk", "features", "features_sha256")
    if same := next((part for part in others if part["trunk"] == trunk), None):
        return {key: same[key] for key in keys}, 0.0
    generator = torch.Generator().manual_seed(0)
    crops = torch.randint(0, 256, (2, resnext.SIDE, resnext.SIDE, 3), dtype=torch.uint8, generator=generator)
    graph = install.folder() / f"{NAME}-features.partial.onnx"
    try:
        parity = export(resnext.Extractor(network).eval(), crops, ("crops", "features"), graph)
        return dict(zip(keys, (trunk, *install.keep(graph, f"{NAME}-features")), strict=True)), parity
    finally:
        graph.unlink(missing_ok=True)


def _card(table: Mapping[str, Any], parity: float) -> str:
    rows = "\n".join(
        f"| {part['frames']} | {part['accuracy']:g} % | {part['pooling']} | {part['recurrence']} |"
        f" `{part['features_sha256'][:12]}` |"
        for part in table["parts"]
    )
    return f"""# ResNeXt50 + LSTM, imported

{table["source"]}. A person's faces in order of time, 112 px, BGR, tight crops. Class 0 is fake.
ONNX against PyTorch: largest relative difference {parity:.1e}.

| frames | accuracy its name reports | pooling | recurrence | extractor |
|---|---|---|---|---|
{rows}

The length a check asks for picks the most accurate file; the nearest length when there is none, and the score says so.
"As published" means that each frame passes the LSTM alone: the published code hands it the clip as a batch.

## How well

Not measured here. The accuracy in a file's name is its author's, on FaceForensics++ videos it may have seen.

## Where it fails

- It learned the first consecutive frames of a clip; here it sees frames spread over the whole clip, turned upright.
- Fewer than five usable faces of a person: it abstains. Pictures: it abstains.
- It has no calibration here until one is fitted on these weights: its score is shown with weight 0.
- False alarms by age, gender and skin colour have not been measured.
"""
