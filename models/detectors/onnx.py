"""Any ONNX classifier that was dropped into models/weights: its table in a manifest says how it wants to be fed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from models import manifest, runtime
from models.batcher import Arrays
from models.detectors.perface import PerFace
from models.errors import WeightsError
from models.types import Floats

if TYPE_CHECKING:
    import onnxruntime as ort

RANGES = {"0-255": (1.0, 0.0), "0-1": (255.0, 0.0), "-1-1": (127.5, 1.0)}  # divided by, then less


class DroppedIn(PerFace):
    def _run(self, crops: NDArray[np.uint8]) -> Arrays:
        session = runtime.session_of_file(self._entry.path, self._entry.sha256, self._threads)
        return (p_fake(session, crops, self._entry),)


def load(name: str, threads: int) -> DroppedIn:
    return DroppedIn(manifest.entry(name), threads)


def p_fake(session: ort.InferenceSession, crops: NDArray[np.uint8], entry: manifest.Entry) -> Floats:
    """`crops`: uint8 RGB (n, side, side, 3)."""
    wanted = session.get_inputs()[0]
    x = _prepared(crops, entry)
    if wanted.shape[1] == 3:
        x = np.ascontiguousarray(x.transpose(0, 3, 1, 2))
    output = entry.output if isinstance(entry.output, str) else session.get_outputs()[entry.output].name
    rows = [x[i : i + 1] for i in range(len(x))] if wanted.shape[0] == 1 else [x]
    y = np.concatenate([session.run([output], {wanted.name: row})[0] for row in rows]).reshape(len(x), -1)
    score = _activated(y.astype(np.float32), entry)
    return score if entry.polarity == "high is fake" else np.float32(1) - score


def _prepared(crops: NDArray[np.uint8], entry: manifest.Entry) -> Floats:
    divisor, less = RANGES[entry.value_range]
    ordered = crops[..., ::-1] if entry.colour_order == "bgr" else crops
    x = ordered.astype(np.float32) / np.float32(divisor) - np.float32(less)
    mean, std = np.array(entry.mean, np.float32), np.array(entry.std, np.float32)
    return np.asarray((x - mean) / std, np.float32)


def _activated(y: Floats, entry: manifest.Entry) -> Floats:
    if entry.activation == "softmax":
        powers = np.exp(y - y.max(axis=1, keepdims=True))
        return np.asarray((powers / powers.sum(axis=1, keepdims=True))[:, entry.index], np.float32)
    column = y[:, entry.index]
    if entry.activation == "sigmoid":
        return np.asarray(1 / (1 + np.exp(-column)), np.float32)
    if column.min() < 0 or column.max() > 1:
        raise WeightsError(f"{entry.name} answers outside 0 to 1: its manifest needs an activation.")
    return column
