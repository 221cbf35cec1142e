"""The figures that `GET /api/v1/models` shows of each detector: one small JSON beside its weights.

It holds what an evaluation measured of the detector, how its training went where that is known, and the network's
layers. The catalogue shows it as long as the weights are those that were measured.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import onnx
from onnx import shape_inference

from models import manifest
from models.errors import DatasetError
from models.manifest import Entry

# What a reader would call a layer; scaling, reshaping and activations belong to the one before.
LAYERS = (
    "Conv", "ConvTranspose", "Gemm", "MatMul", "LSTM", "GRU", "MaxPool", "AveragePool", "GlobalAveragePool",
    "BatchNormalization", "Concat", "Resize",
)  # fmt: skip
KEPT = ("reals", "fakes", "auc", "eer", "ece", "brier", "accuracy", "precision", "recall", "f1", "confusion")


def write(metrics: Mapping[str, Any]) -> list[Path]:
    """One file a detector that was measured; whose weights have changed since is refused."""
    written = []
    for name, digest in metrics["weights"].items():
        entry = manifest.entry(name)
        if entry.digest != digest:
            raise DatasetError(f"The weights of {name} are no longer those that were measured. Evaluate again.")
        path = entry.folder / f"{name}.json"
        told = {"sha256": digest, "evaluation": _evaluation(metrics, name), "architecture": architecture(entry)}
        path.write_text(json.dumps(_rounded(told), separators=(",", ":")) + "\n", encoding="utf-8")
        written.append(path)
    return written


def _evaluation(metrics: Mapping[str, Any], name: str) -> dict[str, Any]:
    overall = metrics["overall"][name]
    return {
        **{key: metrics[key] for key in ("path", "date", "pipeline", "about")},
        "used": metrics["used"].get(name, {}),
        **{key: overall[key] for key in KEPT},
        "curves": overall["curves"],
        "by_set": {part: {key: of[name][key] for key in KEPT} for part, of in metrics["by_set"].items()},
    }


def architecture(entry: Entry) -> list[dict[str, Any]]:
    """Layers in order with the shape of what leaves them, batch left out; equal ones in a row are counted."""
    files = [entry.folder / file for file in entry.files()]
    return [layer for file in files for layer in _layers(onnx.load(file, load_external_data=False))]


def _layers(model: onnx.ModelProto) -> list[dict[str, Any]]:
    graph = shape_inference.infer_shapes(model).graph
    shapes = {info.name: _shape(info) for info in (*graph.value_info, *graph.output)}
    constants = {tensor.name: list(tensor.dims) for tensor in graph.initializer}
    layers: list[dict[str, Any]] = [{"layer": "input", "shape": _shape(graph.input[0])}]
    for node in graph.node:
        if node.op_type not in LAYERS:
            continue
        layer = {"layer": _named(node, constants), "shape": shapes.get(node.output[0], [])}
        if layers[-1]["layer"] == layer["layer"] and layers[-1]["shape"] == layer["shape"]:
            layers[-1]["times"] = layers[-1].get("times", 1) + 1
        else:
            layers.append(layer)
    return layers


def _named(node: onnx.NodeProto, constants: Mapping[str, Sequence[int]]) -> str:
    """`Conv 3 x 3`, by its weights; grouped convolutions say so."""
    weights = next((constants[name] for name in node.input if name in constants), None)
    if node.op_type != "Conv" or weights is None:
        return str(node.op_type)
    groups = next((attribute.i for attribute in node.attribute if attribute.name == "group"), 1)
    return f"Conv {' x '.join(map(str, weights[2:]))}" + (" depthwise" if groups > 1 else "")


def _shape(info: onnx.ValueInfoProto) -> list[int]:
    dims = info.type.tensor_type.shape.dim
    return [dim.dim_value for dim in dims][1:]


def _rounded(value: Any) -> Any:
    if isinstance(value, float):
        return round(value, 4)
    if isinstance(value, dict):
        return {key: _rounded(inner) for key, inner in value.items()}
    return [_rounded(inner) for inner in value] if isinstance(value, list) else value
