"""A trained PyTorch network to the ONNX file that serving runs, proven equal to what was trained."""

from __future__ import annotations

import hashlib
import warnings
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import onnxruntime as ort
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

OPSET = 17
PARITY = 1e-4


class ParityError(RuntimeError):
    """The exported graph does not answer as the trained network does."""


def to_onnx(serving: nn.Module, crops: Tensor, outputs: Sequence[str], path: Path) -> str:
    """`crops`: an example, uint8 RGB (n, side, side, 3); n stays free. Returns the file's sha256."""
    path.parent.mkdir(parents=True, exist_ok=True)
    free = {name: {0: "n"} for name in ("crops", *outputs)}
    with warnings.catch_warnings():
        # The newer exporter needs another package (onnxscript) for the same graph; the tracer warns that it is older.
        warnings.simplefilter("ignore")
        torch.onnx.export(
            serving.eval(),
            (crops,),
            str(path),
            input_names=["crops"],
            output_names=list(outputs),
            dynamic_axes=free,
            opset_version=OPSET,
            dynamo=False,
        )
    return hashlib.sha256(path.read_bytes()).hexdigest()


def check_parity(serving: nn.Module, path: Path, crops: NDArray[np.uint8]) -> float:
    """Largest difference over all outputs."""
    session = ort.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    exported = session.run(None, {"crops": crops})
    with torch.no_grad():
        wanted = serving(torch.from_numpy(crops))
    worst = max(float(np.abs(a.numpy() - np.asarray(b)).max()) for a, b in zip(wanted, exported, strict=True))
    if not worst < PARITY:
        raise ParityError(f"{path.name} differs from the trained network by {worst:.2g}; at most {PARITY} is accepted.")
    return worst
