"""What a camera leaves in the finest detail and a generator does not, as fixed filters beside RGB, and their network.

Generators paint plausible pictures; their last layers leave regular traces that high-pass filters bring out: the noise
residuals of steganalysis (Fridrich & Kodovsky 2012), and what nearest-neighbour up-sampling cannot explain (idea: Tan
et al. 2024).
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from models.networks.lite0 import HEAD, MEAN, STD, STEM, Same, Scaled, Trunk

LOUDEST = 8.0  # grey levels at which a residual is cut: edges would drown the noise
# Second difference along a line, its square form, and the 5x5 kernel of the same paper.
LINE = [[0, 0, 0, 0, 0], [0, 0, 0, 0, 0], [0, 1, -2, 1, 0], [0, 0, 0, 0, 0], [0, 0, 0, 0, 0]]
SQUARE = [[0, 0, 0, 0, 0], [0, -1, 2, -1, 0], [0, 2, -4, 2, 0], [0, -1, 2, -1, 0], [0, 0, 0, 0, 0]]
WIDE = [[-1, 2, -2, 2, -1], [2, -6, 8, -6, 2], [-2, 8, -12, 8, -2], [2, -6, 8, -6, 2], [-1, 2, -2, 2, -1]]
PLANES = 12  # three filters and one residual for each of R, G and B


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


class SyntheticNet(nn.Module):
    """RGB 0-255, (n, side, side, 3), of a face or a whole picture -> logit of "made by a generator" (n,)."""

    mean: Tensor
    std: Tensor

    def __init__(self, blocks: int, dropout: float = 0.2) -> None:
        super().__init__()
        self.trunk = Trunk(blocks)
        self.residuals, self.beside = Residuals(), Same(PLANES, STEM, 3, 2)
        self.dropout, self.logit = nn.Dropout(dropout), nn.Linear(HEAD, 1)
        self.register_buffer("mean", torch.tensor(MEAN).view(1, 3, 1, 1), persistent=False)
        self.register_buffer("std", torch.tensor(STD).view(1, 3, 1, 1), persistent=False)

    def forward(self, rgb: Tensor) -> Tensor:
        planes = rgb.permute(0, 3, 1, 2).float()
        *_, last = self.trunk((planes - self.mean) / self.std, self.beside(self.residuals(planes)))
        logit: Tensor = self.logit(self.dropout(last.mean(dim=(2, 3))))
        return logit[:, 0]


class Serving(nn.Module):
    """What is exported: uint8 aligned crops, (n, crop, crop, 3) -> p_fake (n,)."""

    def __init__(self, network: SyntheticNet, crop: int, side: int) -> None:
        super().__init__()
        self.network, self.scaled = network, Scaled(crop, side)

    def forward(self, crops: Tensor) -> tuple[Tensor]:
        return (torch.sigmoid(self.network(self.scaled(crops))),)
