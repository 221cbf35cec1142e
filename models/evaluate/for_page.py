"""The figures that `GET /api/v1/models` shows of each detector: one small JSON beside its weights.

It holds what an evaluation measured of the detector, how its training went where that is known, and the network's
layers. The catalogue shows it as long as the weights are those that were measured.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime as ort
from onnx import helper

from models import manifest
from models.errors import DatasetError
from models.manifest import Entry

# What a reader would call a layer; scaling, reshaping and activations belong to the one before.
LAYERS = (
    "Conv", "ConvTranspose", "Gemm", "MatMul", "LSTM", "GRU", "MaxPool", "AveragePool", "GlobalAveragePool",
    "BatchNormalization", "Concat", "Resize",
)  # fmt: skip
KEPT = ("reals", "fakes", "auc", "eer", "ece", "brier", "accuracy", "precision", "recall", "f1", "confusion")


MOST_NOTES = 60  # of a training's losses


def write(metrics: Mapping[str, Any]) -> list[Path]:
    """What was measured of each detector; whose weights have changed since is refused."""
    written = []
    for name, digest in metrics["weights"].items():
        entry = manifest.entry(name)
        if entry.digest != digest:
            raise DatasetError(f"The weights of {name} are no longer those that were measured. Evaluate again.")
        files = [entry.folder / file for file in entry.files()]
        written.append(_add(entry.folder / f"{name}.json", digest, files, evaluation=_evaluation(metrics, name)))
    return written


def after_training(weights: Path, sha256: str, notes: Sequence[Mapping[str, Any]]) -> Path:
    """`notes`: what a run wrote while it learned (training/journal.py); told beside the weights it ended with."""
    losses = [{"step": note["step"], "loss": note["loss"]} for note in notes if "loss" in note]
    judged = [{"step": note["step"], "judged": note["judged"]} for note in notes if "judged" in note]
    thinned = losses[:: max(1, -(-len(losses) // MOST_NOTES))]
    return _add(weights.with_suffix(".json"), sha256, [weights], training={"losses": thinned, "judged": judged})


def carry(entry: Entry, folder: Path) -> None:
    """What is told of a detector goes where its weights go."""
    told = entry.folder / f"{entry.name}.json"
    if told.is_file():
        shutil.copyfile(told, folder / told.name)


def _add(path: Path, sha256: str, files: Sequence[Path], **part: Any) -> Path:
    """Keeps what the file holds of the same weights."""
    held = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
    kept = held if held.get("sha256") == sha256 else {"sha256": sha256, "architecture": architecture(files)}
    path.write_text(json.dumps(_rounded({**kept, **part}), separators=(",", ":")) + "\n", encoding="utf-8")
    return path


def _evaluation(metrics: Mapping[str, Any], name: str) -> dict[str, Any]:
    overall = metrics["overall"][name]
    return {
        **{key: metrics[key] for key in ("path", "date", "pipeline", "about")},
        "used": metrics["used"].get(name, {}),
        **{key: overall[key] for key in KEPT},
        "curves": overall["curves"],
        "by_set": {part: {key: of[name][key] for key in KEPT} for part, of in metrics["by_set"].items()},
    }


def architecture(files: Sequence[Path]) -> list[dict[str, Any]]:
    """Layers in order with the shape of what leaves them, batch left out; equal ones in a row are counted."""
    return [layer for file in files for layer in _layers(onnx.load(file, load_external_data=False))]


def _layers(model: onnx.ModelProto) -> list[dict[str, Any]]:
    """By running it once on nothing: a network that computes its paddings does not tell its shapes otherwise."""
    nodes = [node for node in model.graph.node if node.op_type in LAYERS]
    constants = {tensor.name: list(tensor.dims) for tensor in model.graph.initializer}
    shapes = _shapes(model, [node.output[0] for node in nodes])
    layers: list[dict[str, Any]] = [{"layer": "input", "shape": _asked(model.graph.input[0])[1:]}]
    for node in nodes:
        layer = {"layer": _named(node, constants), "shape": list(shapes[node.output[0]][1:])}
        if len(shapes[node.output[0]]) < 2:
            continue  # sizes that are computed on the way
        if {**layers[-1], "times": 1} == {**layer, "times": 1}:
            layers[-1]["times"] = layers[-1].get("times", 1) + 1
        else:
            layers.append(layer)
    return layers


def _shapes(model: onnx.ModelProto, wanted: Sequence[str]) -> dict[str, tuple[int, ...]]:
    told = {output.name for output in model.graph.output}
    model.graph.output.extend(onnx.ValueInfoProto(name=name) for name in wanted if name not in told)
    options = ort.SessionOptions()
    options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_DISABLE_ALL
    options.log_severity_level = 3
    session = ort.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
    nothing = {
        given.name: np.zeros(_asked(given), helper.tensor_dtype_to_np_dtype(given.type.tensor_type.elem_type))
        for given in model.graph.input
        if given.name not in {tensor.name for tensor in model.graph.initializer}
    }
    return {name: value.shape for name, value in zip(wanted, session.run(list(wanted), nothing), strict=True)}


def _asked(info: onnx.ValueInfoProto) -> list[int]:
    """The shape of an input; what may be any size is 1."""
    return [dim.dim_value or 1 for dim in info.type.tensor_type.shape.dim]


def _named(node: onnx.NodeProto, constants: Mapping[str, Sequence[int]]) -> str:
    """`Conv 3 x 3`, by its weights; grouped convolutions say so."""
    weights = next((constants[name] for name in node.input if name in constants), None)
    if node.op_type != "Conv" or weights is None:
        return str(node.op_type)
    groups = next((attribute.i for attribute in node.attribute if attribute.name == "group"), 1)
    return f"Conv {' x '.join(map(str, weights[2:]))}" + (" depthwise" if groups > 1 else "")


def _rounded(value: Any) -> Any:
    if isinstance(value, float):
        return round(value, 4)
    if isinstance(value, dict):
        return {key: _rounded(inner) for key, inner in value.items()}
    return [_rounded(inner) for inner in value] if isinstance(value, list) else value
