"""A trained network to the ONNX file that serving runs, proven equal to what was trained."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime as ort
import tensorflow as tf
import tf2onnx
from numpy.typing import NDArray

OPSET = 17
PARITY = 1e-4


class ParityError(RuntimeError):
    """The exported graph does not answer as the trained network does."""


def to_onnx(serve: Callable[[Any], tuple[Any, ...]], side: int, outputs: Sequence[str], path: Path) -> str:
    """`serve`: uint8 RGB (n, side, side, 3) -> tensors named `outputs`. Returns the file's sha256."""
    signature = [tf.TensorSpec([None, side, side, 3], tf.uint8, name="crops")]
    graph, _ = tf2onnx.convert.from_function(tf.function(serve), input_signature=signature, opset=OPSET)
    for output, name in zip(list(graph.graph.output), outputs, strict=True):
        _rename(graph, output.name, name)
    _drop_unused_inputs(graph)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(graph.SerializeToString())
    return hashlib.sha256(path.read_bytes()).hexdigest()


def check_parity(serve: Callable[[Any], tuple[Any, ...]], path: Path, crops: NDArray[np.uint8]) -> float:
    """Largest difference over all outputs, relative to an output's own size where that is above 1."""
    session = ort.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    exported = session.run(None, {"crops": crops})
    differences = [
        float(np.abs(np.asarray(a) - np.asarray(b)).max() / max(1.0, float(np.abs(b).max())))
        for a, b in zip(serve(tf.constant(crops)), exported, strict=True)
    ]
    worst = max(differences)
    if not worst < PARITY:
        raise ParityError(f"{path.name} differs from the trained network by {worst:.2g}; at most {PARITY} is accepted.")
    return worst


def _drop_unused_inputs(model: onnx.ModelProto) -> None:
    """Constants that a layer captured (Keras' Normalization) are handed out as inputs that nothing reads."""
    read = {name for node in model.graph.node for name in node.input}
    for value in [value for value in model.graph.input if value.name not in read]:
        model.graph.input.remove(value)


def _rename(model: onnx.ModelProto, old: str, new: str) -> None:
    for node in model.graph.node:
        node.output[:] = [new if name == old else name for name in node.output]
        node.input[:] = [new if name == old else name for name in node.input]
    for output in model.graph.output:
        if output.name == old:
            output.name = new
