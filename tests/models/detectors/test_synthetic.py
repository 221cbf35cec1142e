from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch

from models import manifest, registry
from models.networks import lite0, residuals
from models.training import torch_export
from models.types import Abstained, Context, Detector, Face, MediaInfo, Rgb, Score

CONTEXT = Context(MediaInfo("image", "image/png", 512, 512, 0.0, 1), 1)


@pytest.fixture
def synthetic(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Detector]:
    """Weights as training writes them, untrained."""
    texture, example = residuals.Texture(), torch.zeros(1, 256, 256, 3, dtype=torch.uint8)
    lite0.load_published(texture.trunk, lite0.published())
    centre = texture.eval()(example[:, :96, :96]).detach()[0]
    serving = residuals.Serving(residuals.SyntheticNet(texture, centre, torch.ones_like(centre)), 256, 96)
    sha256 = torch_export.to_onnx(serving, example, ("p_fake",), tmp_path / "s.onnx")
    table = (
        f'file = "s.onnx"\nsha256 = "{sha256}"\nversion = "0"\ntitle = "S"\nlicence = "none"\nkinds = ["synthetic"]\n'
    )
    (tmp_path / manifest.FILE).write_text(f"[synthetic]\n{table}")
    monkeypatch.setattr(manifest, "WEIGHTS", tmp_path)
    detector = registry.load("synthetic", 1)
    yield detector
    detector.close()  # type: ignore[attr-defined]


def test_a_track_is_the_median_of_its_faces(synthetic: Detector, portrait: Rgb) -> None:
    assert isinstance(synthetic, Detector)
    points = np.zeros((68, 2), np.float32)
    faces = [Face(0.0, (0, 0, 256, 256), 1.0, portrait[i : i + 256, 100:356], points) for i in range(0, 50, 5)]
    said = synthetic.score(faces, CONTEXT)
    assert isinstance(said, Score)
    assert len(said.per_face) == 10
    assert said.heatmaps == (), "nothing in the picture is altered, so there is no place to show"
    assert said.p_fake == pytest.approx(float(np.median(said.per_face)))
    assert synthetic.score([], CONTEXT) == Abstained("no_face")
