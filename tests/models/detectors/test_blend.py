from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch

from models import manifest, registry
from models.errors import NotInstalled
from models.networks import lite0
from models.training import torch_export
from models.types import Abstained, Context, Detector, Face, MediaInfo, Rgb, Score

CONTEXT = Context(MediaInfo("image", "image/png", 512, 512, 0.0, 1), 1)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Weights as training writes them, untrained."""
    folder = tmp_path_factory.mktemp("weights")
    torch.manual_seed(0)
    serving = lite0.Serving(lite0.BlendNet(lite0.COARSE), 256, 96)
    example = torch.zeros(1, 256, 256, 3, dtype=torch.uint8)
    sha256 = torch_export.to_onnx(serving, example, ("p_fake", "mask"), folder / "blend.onnx")
    table = f'file = "blend.onnx"\nsha256 = "{sha256}"\nversion = "0"\ntitle = "Blend"\nlicence = "none"\nkinds = []\n'
    (folder / manifest.FILE).write_text(f"[blend]\n{table}")
    return folder


@pytest.fixture
def blend(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Detector]:
    monkeypatch.setattr(manifest, "WEIGHTS", folder)
    detector = registry.load("blend", 1)
    yield detector
    detector.close()  # type: ignore[attr-defined]


def face(crop: Rgb) -> Face:
    return Face(0.0, (0, 0, 256, 256), 1.0, crop, np.zeros((68, 2), np.float32))


def test_a_track_is_the_median_of_its_faces_and_each_has_its_mask(blend: Detector, portrait: Rgb) -> None:
    assert isinstance(blend, Detector)
    crops = [portrait[i : i + 256, 100:356] for i in range(0, 50, 5)]
    said = blend.score([face(crop) for crop in crops], CONTEXT)
    assert isinstance(said, Score)
    assert len(said.per_face) == len(said.heatmaps) == 10
    assert said.p_fake == pytest.approx(float(np.median(said.per_face)))
    for heat in said.heatmaps:
        assert heat is not None
        assert heat.shape == (12, 12)
        assert 0 <= heat.min() <= heat.max() <= 1


def test_no_face_no_score(blend: Detector) -> None:
    assert blend.score([], CONTEXT) == Abstained("no_face")


def test_without_weights_it_says_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(manifest, "WEIGHTS", tmp_path)
    assert "blend" in registry.names()
    assert "blend" not in registry.installed()
    with pytest.raises(NotInstalled, match="unmask train blend"):
        registry.chosen(["blend"])
