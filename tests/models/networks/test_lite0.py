from __future__ import annotations

import cv2
import numpy as np
import pytest
import skimage.data
import torch
from torch import Tensor

from models.networks import lite0


@pytest.fixture(scope="module")
def published() -> dict[str, Tensor]:
    return lite0.published()


def test_every_published_tensor_has_its_place(published: dict[str, Tensor]) -> None:
    trunk = lite0.Trunk()
    assert lite0.load_published(trunk, published) == ["_fc.weight", "_fc.bias"]
    assert trunk.state_dict().keys() | {"_fc.weight", "_fc.bias"} == published.keys()


def test_it_sees_what_the_published_network_sees(published: dict[str, Tensor]) -> None:
    """Logits of the package efficientnet-lite-pytorch 0.1.0 on the same picture; ours were equal to the last bit."""
    trunk = lite0.Trunk().eval()
    lite0.load_published(trunk, published)
    rgb = cv2.resize(skimage.data.coffee()[:, 100:500], (224, 224), interpolation=cv2.INTER_AREA)
    x = (torch.tensor(rgb).float() - torch.tensor(lite0.MEAN)) / torch.tensor(lite0.STD)
    with torch.no_grad():
        pooled = trunk(x.permute(2, 0, 1)[None])[2].mean(dim=(2, 3))
        logits = (pooled @ published["_fc.weight"].T + published["_fc.bias"])[0]
    assert int(logits.argmax()) == 967  # espresso
    assert logits[:3].tolist() == pytest.approx([-0.363425, -0.352511, -1.554863], abs=1e-3)


@pytest.mark.parametrize(("blocks", "left_over"), [(11, True), (15, True), (16, False)])
def test_a_trunk_can_be_cut_early(published: dict[str, Tensor], blocks: int, left_over: bool) -> None:
    network = lite0.BlendNet(blocks).eval()
    names = lite0.load_published(network.trunk, published)
    assert ("_conv_head.weight" in names) == left_over
    with torch.no_grad():
        logit, mask = network(torch.zeros(2, 96, 96, 3, dtype=torch.uint8))
    assert logit.shape == (2,)
    assert mask.shape == (2, 12, 12)


def test_a_trunk_too_short_for_the_mask_is_refused() -> None:
    with pytest.raises(ValueError, match="11 to 16"):
        lite0.Trunk(8)


def test_foreign_weights_are_refused(published: dict[str, Tensor]) -> None:
    with pytest.raises(ValueError, match="not Lite0"):
        lite0.load_published(lite0.Trunk(), {"_conv_stem.weight": published["_conv_stem.weight"]})


def test_serving_scales_by_area_as_training_does() -> None:
    network = lite0.BlendNet(11).eval()
    serving = lite0.Serving(network, crop=256, side=160)
    crops = np.random.default_rng(0).integers(0, 256, (2, 256, 256, 3), dtype=np.uint8)
    small = np.stack([cv2.resize(crop, (160, 160), interpolation=cv2.INTER_AREA) for crop in crops])
    with torch.no_grad():
        seen = serving.scaled(torch.from_numpy(crops))
        p_fake, mask = serving(torch.from_numpy(crops))
    assert float((seen - torch.from_numpy(small)).abs().max()) <= 1
    assert float((seen - torch.from_numpy(small)).abs().mean()) < 0.01
    assert 0 <= float(p_fake.min()) <= float(p_fake.max()) <= 1
    assert mask.shape == (2, 20, 20)
