"""What a camera leaves in the finest detail and a generator does not: statistics of fixed filters and early layers.

The network stays as ImageNet taught it, and only a linear head is learned on what its layers see, beside the noise
residuals of steganalysis (Fridrich & Kodovsky 2012) and what nearest-neighbour up-sampling cannot explain (idea: Tan et
al. 2024). Pictures of few generators are at hand: all weights fine-tuned on them knew an unseen one less well (AUC .60
against clean portraits, .86 so).
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from models.networks import lite0

LOUDEST = 8.0  # grey levels at which a residual is cut: edges would drown the noise
QUIET = 0.05  # of the loudest: flatter than a sensor leaves it
# Second difference along a line, its square form, and the 5x5 kernel of the same paper.
LINE = [[0, 0, 0, 0, 0], [0, 0, 0, 0, 0], [0, 1, -2, 1, 0], [0, 0, 0, 0, 0], [0, 0, 0, 0, 0]]
SQUARE = [[0, 0, 0, 0, 0], [0, -1, 2, -1, 0], [0, 2, -4, 2, 0], [0, -1, 2, -1, 0], [0, 0, 0, 0, 0]]
WIDE = [[-1, 2, -2, 2, -1], [2, -6, 8, -6, 2], [-2, 8, -12, 8, -2], [2, -6, 8, -6, 2], [-1, 2, -2, 2, -1]]
PLANES = 12  # three filters and one residual for each of R, G and B
DEPTHS = (0, 1, 3, 5, 8, 11, 13)  # the stem, and blocks after which maps are looked at
FARTHEST = 5.0  # standard deviations that one statistic may speak with


class Residuals(nn.Module):
    """RGB 0-255, (n, 3, side, side) -> residuals in [-1, 1], (n, 12, side, side); `side` is even."""

    kernels: Tensor

    def __init__(self) -> None:
        super().__init__()
        filters = torch.tensor([LINE, SQUARE, WIDE], dtype=torch.float32)
        filters = filters / filters.abs().amax(dim=(1, 2), keepdim=True)
        self.register_buffer("kernels", filters.repeat(3, 1, 1)[:, None], persistent=False)

    def forward(self, rgb: Tensor) -> Tensor:
        noise = F.conv2d(F.pad(rgb, (2, 2, 2, 2), mode="reflect"), self.kernels, groups=3)
        upsampled = F.interpolate(rgb[:, :, ::2, ::2], scale_factor=2.0, mode="nearest")
        return torch.cat([noise, rgb - upsampled], dim=1).clamp(-LOUDEST, LOUDEST) / LOUDEST


class Texture(nn.Module):
    """RGB 0-255, (n, side, side, 3) -> statistics (n, width): of residuals, and of maps at several depths."""

    mean: Tensor
    std: Tensor

    def __init__(self, blocks: int = DEPTHS[-1]) -> None:
        super().__init__()
        self.trunk, self.residuals = lite0.Trunk(blocks), Residuals()
        self.depths = [depth for depth in DEPTHS if depth <= blocks]
        self.register_buffer("mean", torch.tensor(lite0.MEAN).view(1, 3, 1, 1), persistent=False)
        self.register_buffer("std", torch.tensor(lite0.STD).view(1, 3, 1, 1), persistent=False)

    def forward(self, rgb: Tensor) -> Tensor:
        planes = rgb.permute(0, 3, 1, 2).float()
        maps = self.trunk.seen((planes - self.mean) / self.std)
        seen = [statistic for depth in self.depths for statistic in _spread(maps[depth].float())]
        return torch.cat([*_noise(self.residuals(planes)), *seen], dim=1)


class SyntheticNet(nn.Module):
    """RGB 0-255, (n, side, side, 3), of a face -> logit of "a generator made it" (n,)."""

    centre: Tensor
    scale: Tensor

    def __init__(self, texture: Texture, centre: Tensor, scale: Tensor) -> None:
        """`centre`, `scale`: of each statistic, over genuine and made faces."""
        super().__init__()
        self.texture, self.logit = texture, nn.Linear(len(centre), 1)
        self.register_buffer("centre", centre)
        self.register_buffer("scale", scale)

    def forward(self, rgb: Tensor) -> Tensor:
        return self.judged(self.texture(rgb))

    def judged(self, statistics: Tensor) -> Tensor:
        logit: Tensor = self.logit(((statistics - self.centre) / self.scale).clamp(-FARTHEST, FARTHEST))
        return logit[:, 0]


def restored(tensors: Mapping[str, Tensor]) -> SyntheticNet:
    """From a run's checkpoint."""
    network = SyntheticNet(Texture(), tensors["centre"], tensors["scale"])
    network.load_state_dict(dict(tensors))
    return network.eval()


class Serving(nn.Module):
    """What is exported: uint8 aligned crops, (n, crop, crop, 3) -> p_fake (n,)."""

    def __init__(self, network: SyntheticNet, crop: int, side: int) -> None:
        super().__init__()
        self.network, self.scaled = network, lite0.Scaled(crop, side)

    def forward(self, crops: Tensor) -> tuple[Tensor]:
        return (torch.sigmoid(self.network(self.scaled(crops))),)


def _noise(residuals: Tensor) -> list[Tensor]:
    """Loudness, tails, flatness, and how alike neighbours are: (n, 12) each."""
    loud = residuals.abs()
    below, right = residuals[:, :, 1:] * residuals[:, :, :-1], residuals[:, :, :, 1:] * residuals[:, :, :, :-1]
    every = (loud, residuals**2, residuals**4, (loud < QUIET).float(), below, right)
    return [values.mean(dim=(2, 3)) for values in every]


def _spread(maps: Tensor) -> tuple[Tensor, Tensor]:
    mean = maps.mean(dim=(2, 3))
    variance = (maps - mean[:, :, None, None]).square().mean(dim=(2, 3))
    return mean, variance.clamp(min=1e-8).sqrt()
