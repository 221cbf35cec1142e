from __future__ import annotations

import numpy as np
import pytest

from models import registry
from models.types import Abstained, Context, Detector, Face, MediaInfo, Rgb, Score


@pytest.fixture(scope="module")
def meso() -> Detector:
    return registry.load("meso4", 1)


CONTEXT = Context(MediaInfo("image", "image/png", 512, 512, 0.0, 1), 1)


def face(crop: Rgb) -> Face:
    return Face(0.0, (0, 0, 256, 256), 1.0, crop, np.zeros((68, 2), np.float32))


def test_it_is_a_detector_with_a_heatmap_for_each_face(meso: Detector, portrait: Rgb) -> None:
    assert isinstance(meso, Detector)
    crops = [portrait[i : i + 256, 100:356] for i in range(0, 70, 2)]
    said = meso.score([face(crop) for crop in crops], CONTEXT)
    assert isinstance(said, Score)
    assert len(said.per_face) == len(said.heatmaps) == 35
    assert said.p_fake == pytest.approx(float(np.median(said.per_face)))
    for heat in said.heatmaps:
        assert heat is not None
        assert heat.shape == (32, 32)
        assert 0 <= heat.min() <= heat.max() <= 1


def test_the_company_of_other_faces_does_not_matter(meso: Detector, portrait: Rgb) -> None:
    crops = [portrait[i : i + 256, 100:356] for i in range(0, 60, 20)]
    together = meso.score([face(crop) for crop in crops], CONTEXT)
    assert isinstance(together, Score)
    for crop, p_fake in zip(crops, together.per_face, strict=True):
        alone = meso.score([face(crop)], CONTEXT)
        assert isinstance(alone, Score)
        assert alone.p_fake == pytest.approx(p_fake, abs=1e-5)


def test_no_face_no_score(meso: Detector) -> None:
    assert meso.score([], CONTEXT) == Abstained("no_face")
