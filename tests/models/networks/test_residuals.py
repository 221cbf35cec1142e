from __future__ import annotations

import cv2
import numpy as np
import pytest
import torch

from models.networks import lite0, residuals
from models.types import Rgb


def planes(rgb: Rgb) -> torch.Tensor:
    return residuals.Residuals()(torch.from_numpy(rgb[None].copy()).permute(0, 3, 1, 2).float())[0]


def test_even_and_sloping_light_leaves_no_noise() -> None:
    slope = np.tile(np.arange(64, dtype=np.uint8)[None, :, None], (64, 1, 3))
    seen = planes(slope)
    assert seen.shape == (residuals.PLANES, 64, 64)
    assert float(seen[:9, 8:-8, 8:-8].abs().max()) == pytest.approx(0, abs=1e-6)
    assert float(planes(np.full_like(slope, 77)).abs().max()) == pytest.approx(0, abs=1e-6)


def test_a_picture_doubled_in_size_betrays_itself() -> None:
    fine = np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8)
    doubled = np.asarray(cv2.resize(fine[::2, ::2], (64, 64), interpolation=cv2.INTER_NEAREST), np.uint8)
    assert float(planes(doubled)[9:].abs().max()) == 0
    assert float(planes(fine)[9:].abs().mean()) > 0.5


def test_the_network_starts_from_the_published_weights_and_serves_any_number_of_crops() -> None:
    network = residuals.SyntheticNet(lite0.COARSE).eval()
    assert "_conv_head.weight" in lite0.load_published(network.trunk, lite0.published())
    serving = residuals.Serving(network, 256, 96)
    crops = np.random.default_rng(0).integers(0, 256, (3, 256, 256, 3), dtype=np.uint8)
    with torch.no_grad():
        (p_fake,) = serving(torch.from_numpy(crops))
    assert p_fake.shape == (3,)
    assert 0 <= float(p_fake.min()) <= float(p_fake.max()) <= 1
