"""A classifier that is in ONNX already: run once as its table says, then put beside the others."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime as ort
from google.protobuf.message import DecodeError

from models import align, manifest, registry
from models.detectors import onnx as dropped_in
from models.errors import WeightsError
from models.importers import install, known
from models.importers.known import Known
from models.manifest import Entry


def run(name: str, path: Path, table: Mapping[str, Any], pictures: Known | None = None) -> Entry:
    """`table`: what models/manifest.py shows, without detector, file, sha256 and version."""
    if name in registry.DETECTORS or not manifest.NAME.fullmatch(name):
        raise WeightsError(f"{name!r} cannot be its name: small letters, digits and _, and no name of a detector here.")
    if not 0 < table["margin"] <= align.WIDEST_MARGIN:
        raise WeightsError(f"The margin lies above 0 and up to {align.WIDEST_MARGIN}: more of a face is not kept.")
    session = _session(path)
    tried = manifest.made(name, {**table, "file": path.name, "sha256": "-", "version": "-"}, path.parent)

    def score(crops: Any) -> Any:
        return dropped_in.p_fake(session, np.stack(crops), tried).astype(np.float64)

    try:
        side = tried.input_size
        score([np.full((side, side, 3), value, np.uint8) for value in (0, 127, 255)])
        answer = known.ask(pictures, score, tried.margin, side) if pictures else None
    except (RuntimeError, ValueError, IndexError, ort.capi.onnxruntime_pybind11_state.InvalidArgument) as error:
        raise WeightsError(f"{path.name} does not run as described: {str(error).splitlines()[0][:200]}") from error
    known.refuse_reversed(answer, "State the other --fake-is.")
    file, sha256 = install.keep(path, name)
    whole = {"detector": "onnx", "file": file, "sha256": sha256, "version": f"imported-{sha256[:8]}", **table}
    return install.install(name, whole, _card(whole, answer))


def _session(path: Path) -> ort.InferenceSession:
    try:
        graph = onnx.load(str(path), load_external_data=False)
        if any(tensor.external_data for tensor in graph.graph.initializer):
            raise WeightsError(f"{path.name} keeps weights in other files: save it as one file.")
        return ort.InferenceSession(graph.SerializeToString(), providers=["CPUExecutionProvider"])
    except (DecodeError, ValueError, RuntimeError) as error:
        raise WeightsError(f"{path.name} is damaged, or no ONNX file ({str(error).splitlines()[0][:160]}).") from error


def _card(table: Mapping[str, Any], answer: known.Answer | None) -> str:
    return f"""# {table["title"]}, dropped in

An ONNX classifier from elsewhere: {table["input_size"]} px, {table["colour_order"]}, margin {table["margin"]:g},
{table["polarity"]}. Licence: {table["licence"]}. Known pictures: {answer or "none were given"}.

## Where it fails

- Not known here: its author's card says more.
- It has no calibration here until one is fitted on these weights: its score is shown with weight 0.
"""
