"""Dropping a classifier in, and serving it: detectors/onnx.py."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

from models import manifest, registry
from models.errors import WeightsError
from models.importers import onnx_file
from models.types import Context, Face, MediaInfo, Score

CONTEXT = Context(MediaInfo("image", "image/png", 512, 512, 0.0, 1), 1)
TABLE: dict[str, Any] = {
    "title": "Mean colour",
    "licence": "MIT",
    "kinds": ["face_swap"],
    "input_size": 32,
    "margin": 1.0,
    "colour_order": "rgb",
    "value_range": "0-1",
    "polarity": "high is fake",
}


def means(path: Path, layout: str = "nchw", batch: Any = "n") -> Path:
    """A network whose three outputs are the means of its three input channels."""
    shape, axes = ([batch, 3, 32, 32], [2, 3]) if layout == "nchw" else ([batch, 32, 32, 3], [1, 2])
    node = helper.make_node("ReduceMean", ["x"], ["means"], axes=axes, keepdims=0)
    graph = helper.make_graph(
        [node],
        "means",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, shape)],
        [helper.make_tensor_value_info("means", TensorProto.FLOAT, [batch, 3])],
    )
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), str(path))
    return path


def scored(name: str, count: int = 3) -> float:
    crop = np.zeros((256, 256, 3), np.uint8)
    crop[:] = (255, 102, 51)  # 1, .4, .2
    face = Face(0.0, (0, 0, 9, 9), 1.0, crop, np.zeros((68, 2), np.float32))
    said = registry.load(name, 1).score([face] * count, CONTEXT)
    assert isinstance(said, Score)
    assert len(said.per_face) == count
    return said.p_fake


@pytest.mark.parametrize(
    ("changes", "wanted"),
    [
        ({}, 1.0),
        ({"index": 1}, 0.4),
        ({"index": 2, "output": "means"}, 0.2),
        ({"colour_order": "bgr"}, 0.2),
        ({"index": 1, "polarity": "low is fake"}, 0.6),
        ({"index": 1, "activation": "sigmoid"}, 1 / (1 + np.exp(-0.4))),
        ({"index": 0, "activation": "softmax"}, np.exp(1) / (np.exp(1) + np.exp(0.4) + np.exp(0.2))),
        ({"value_range": "-1-1", "activation": "sigmoid", "index": 1}, 1 / (1 + np.exp(0.2))),
        ({"value_range": "0-255", "mean": [55.0, 2.0, 1.0], "std": [200.0, 200.0, 100.0], "index": 1}, 0.5),
    ],
)
def test_it_is_fed_and_read_as_its_table_says(
    weights: Path, tmp_path: Path, changes: dict[str, Any], wanted: float
) -> None:
    table = {**TABLE, **changes}
    if "std" in changes or table["value_range"] == "-1-1":  # tried with black pictures too, which fall below 0
        table.setdefault("activation", "sigmoid")
        wanted = wanted if "activation" in changes else 1 / (1 + np.exp(-wanted))
    onnx_file.run("means", means(tmp_path / "m.onnx"), table)
    assert "means" in registry.installed()
    assert scored("means") == pytest.approx(wanted, abs=1e-3)


@pytest.mark.parametrize(("layout", "batch"), [("nhwc", "n"), ("nchw", 1)])
def test_layout_and_batch_are_read_off_the_graph(weights: Path, tmp_path: Path, layout: str, batch: Any) -> None:
    onnx_file.run("means", means(tmp_path / "m.onnx", layout, batch), {**TABLE, "index": 1})
    assert scored("means") == pytest.approx(0.4, abs=1e-3)


def test_a_file_and_a_table_put_there_by_hand_are_enough(weights: Path) -> None:
    folder = weights / "local"
    folder.mkdir()
    from models import runtime
    from models.importers.install import sha256_of

    path = means(folder / "mine.onnx")
    (folder / "manifest.toml").write_text(
        f'[mine]\ndetector = "onnx"\nfile = "mine.onnx"\nsha256 = "{sha256_of(path)}"\nversion = "1"\ntitle = "Mine"\n'
        'licence = "MIT"\nkinds = ["face_swap"]\ninput_size = 32\nmargin = 1.0\nvalue_range = "0-1"\nindex = 2\n'
    )
    assert scored("mine") == pytest.approx(0.2, abs=1e-3)
    path.unlink()
    assert "mine" not in registry.installed()
    assert "mine" in registry.names()
    with pytest.raises(WeightsError, match="cannot be read"):
        runtime.verified(path, manifest.entry("mine").sha256)


def test_what_does_not_fit_is_refused(weights: Path, tmp_path: Path) -> None:
    path = means(tmp_path / "m.onnx")
    (tmp_path / "half.onnx").write_bytes(path.read_bytes()[:60])
    (tmp_path / "text.onnx").write_text("only text")
    for changes, words in (
        ({"input_size": 48}, "does not run as described"),
        ({"index": 3}, "does not run as described"),
        ({"value_range": "0-255"}, "needs an activation"),
        ({"margin": 2.0}, "margin"),
    ):
        with pytest.raises(WeightsError, match=words):
            onnx_file.run("means", path, {**TABLE, **changes})
    for name in ("half.onnx", "text.onnx"):
        with pytest.raises(WeightsError, match="damaged"):
            onnx_file.run("means", tmp_path / name, TABLE)
    for name in ("meso4", "../x", "Big"):
        with pytest.raises(WeightsError, match="cannot be its name"):
            onnx_file.run(name, path, TABLE)
    assert manifest.read() == {}
