from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from models.manifest import Entry
from models.networks import lite0, residuals
from models.training import parity, torch_export

# Keras asks TensorFlow's variables for an array in a way numpy 2 has given up.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")


def entry(name: str, out: Path) -> Entry:
    (out / "work").mkdir(parents=True, exist_ok=True)
    return Entry(name, "1", "T", "L", ("face_swap",), out / "weights", file=f"{name}.onnx")


def test_a_torch_network_is_compared_with_its_graph(tmp_path: Path) -> None:
    torch.manual_seed(0)
    network, other, ours = lite0.BlendNet(11).eval(), lite0.BlendNet(11), entry("blend", tmp_path)
    crops = torch.from_numpy(np.zeros((2, 256, 256, 3), np.uint8))
    torch_export.to_onnx(lite0.Serving(network, 256, 64).eval(), crops, ("p_fake", "mask"), ours.path)
    assert parity.of(ours, tmp_path) is None
    torch.save({"best_network": network.state_dict()}, tmp_path / "work" / parity.CHECKPOINT)
    worst = parity.of(ours, tmp_path)
    assert worst is not None
    assert worst < torch_export.PARITY
    torch.save({"best_network": other.state_dict()}, tmp_path / "work" / parity.CHECKPOINT)
    assert (parity.of(ours, tmp_path) or 0) > parity.MOST


def test_the_head_on_statistics_is_compared_with_its_graph(tmp_path: Path) -> None:
    ours, crops = entry("synthetic", tmp_path), torch.zeros(2, 256, 256, 3, dtype=torch.uint8)
    texture = residuals.Texture().eval()
    centre = texture(crops[:1, :160, :160]).detach()[0]
    network = residuals.SyntheticNet(texture, centre, torch.ones_like(centre)).eval()
    torch_export.to_onnx(residuals.Serving(network, 256, 160), crops, ("p_fake",), ours.path)
    torch.save({"best_network": network.state_dict()}, tmp_path / "work" / parity.CHECKPOINT)
    worst = parity.of(ours, tmp_path)
    assert worst is not None
    assert worst < torch_export.PARITY


def test_a_keras_network_is_compared_with_its_graph(tmp_path: Path) -> None:
    from models.training import export, mesonet

    model, ours = mesonet.build(), entry("meso4", tmp_path)
    export.to_onnx(mesonet.WithCam(model), 256, ("p_fake", "cam"), ours.path)
    assert parity.of(ours, tmp_path) is None
    model.save_weights(tmp_path / "work" / parity.KEPT)
    worst = parity.of(ours, tmp_path)
    assert worst is not None
    assert worst < export.PARITY


def test_what_keeps_no_network_is_not_compared(tmp_path: Path) -> None:
    model = lite0.BlendNet(11).eval()
    ours = entry("sequence", tmp_path)
    crops = torch.from_numpy(np.zeros((2, 256, 256, 3), np.uint8))
    torch_export.to_onnx(lite0.Serving(model, 256, 64).eval(), crops, ("p_fake", "mask"), ours.path)
    assert parity.of(ours, tmp_path) is None
