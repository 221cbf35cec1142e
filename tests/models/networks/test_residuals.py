from __future__ import annotations

import cv2
import numpy as np
import pytest
import torch

from models.networks import lite0, residuals
from models.types import Rgb


def planes(rgb: Rgb) -> torch.Tensor:
    seen: torch.Tensor = residuals.Residuals()(torch.from_numpy(rgb[None].copy()).permute(0, 3, 1, 2).float())
    return seen[0]


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


def test_the_head_alone_learns_and_a_checkpoint_brings_it_back() -> None:
    torch.manual_seed(0)
    texture = residuals.Texture().eval()
    lite0.load_published(texture.trunk, lite0.published())
    crops = torch.from_numpy(np.random.default_rng(0).integers(0, 256, (3, 256, 256, 3), dtype=np.uint8))
    with torch.no_grad():
        seen = texture(crops[:, ::4, ::4])
        assert seen.isfinite().all()
        network = residuals.SyntheticNet(texture, seen.mean(dim=0), seen.std(dim=0) + 1e-3).eval()
        (p_fake,) = residuals.Serving(network, 256, 96)(crops)
        (again,) = residuals.Serving(residuals.restored(network.state_dict()), 256, 96)(crops)
    assert p_fake.shape == (3,)
    assert 0 <= float(p_fake.min()) <= float(p_fake.max()) <= 1
    assert torch.equal(p_fake, again)


def test_no_single_statistic_decides() -> None:
    network = residuals.SyntheticNet(residuals.Texture(), torch.zeros(4), torch.ones(4))
    far, farther = torch.eye(4) * 1e3, torch.eye(4) * 1e6
    assert torch.equal(network.judged(far), network.judged(farther))
