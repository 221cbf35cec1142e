"""ResNeXt50_32x4d and an LSTM over its features, with the state-dict keys of the published files (system "model_*.pt").

`model.*` are torchvision's resnext50_32x4d children without the last two, in order; its pooling comes after them.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

FEATURES = 2048
SIDE = 112
GROUPS, WIDTH = 32, 4  # "32x4d"
STAGES = ((64, 3, 1), (128, 4, 2), (256, 6, 2), (512, 3, 2))  # planes, blocks, first stride
FAKE = 0  # class 0 of the published files; 1 is real
# ImageNet's, written for RGB; the published code applied them to BGR pictures in this order.
MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


class Block(nn.Module):
    def __init__(self, channels: int, planes: int, stride: int) -> None:
        super().__init__()
        wide, out = planes * WIDTH // 64 * GROUPS, planes * 4
        self.conv1, self.bn1 = nn.Conv2d(channels, wide, 1, bias=False), nn.BatchNorm2d(wide)
        self.conv2 = nn.Conv2d(wide, wide, 3, stride, 1, groups=GROUPS, bias=False)
        self.bn2 = nn.BatchNorm2d(wide)
        self.conv3, self.bn3 = nn.Conv2d(wide, out, 1, bias=False), nn.BatchNorm2d(out)
        self.downsample: nn.Module = nn.Identity()
        if stride != 1 or channels != out:
            self.downsample = nn.Sequential(nn.Conv2d(channels, out, 1, stride, bias=False), nn.BatchNorm2d(out))

    def forward(self, x: Tensor) -> Tensor:
        y = torch.relu(self.bn1(self.conv1(x)))
        y = torch.relu(self.bn2(self.conv2(y)))
        return torch.relu(self.bn3(self.conv3(y)) + self.downsample(x))


def trunk() -> nn.Sequential:
    start = nn.Conv2d(3, 64, 7, 2, 3, bias=False)
    parts: list[nn.Module] = [start, nn.BatchNorm2d(64), nn.ReLU(), nn.MaxPool2d(3, 2, 1)]
    channels = 64
    for planes, blocks, stride in STAGES:
        stage = [Block(channels if i == 0 else planes * 4, planes, stride if i == 0 else 1) for i in range(blocks)]
        parts.append(nn.Sequential(*stage))
        channels = planes * 4
    return nn.Sequential(*parts)


class Sequence(nn.Module):
    def __init__(self, hidden: int = FEATURES, bias: bool = False) -> None:
        super().__init__()
        self.model = trunk()
        self.lstm = nn.LSTM(FEATURES, hidden, bias=bias)
        self.linear1 = nn.Linear(hidden, 2)


class Extractor(nn.Module):
    """uint8 RGB crops (n, 112, 112, 3) -> features (n, 2048)."""

    mean: Tensor
    std: Tensor

    def __init__(self, network: Sequence) -> None:
        super().__init__()
        self.model = network.model
        self.register_buffer("mean", 255 * torch.tensor(MEAN).reshape(1, 3, 1, 1))
        self.register_buffer("std", 255 * torch.tensor(STD).reshape(1, 3, 1, 1))

    def forward(self, crops: Tensor) -> Tensor:
        bgr = crops.permute(0, 3, 1, 2).float().flip(1)
        features: Tensor = self.model((bgr - self.mean) / self.std)
        return features.mean(dim=(2, 3))


class Head(nn.Module):
    """Features of one person's faces in order of time (t, 2048) -> p_fake (1,), per_face (t,).

    The published code left `batch_first` off: on one clip the recurrence runs over a batch of one, each frame passing
    it alone, and the weights have never seen another kind of state. `over_time` is for files trained with it on.
    """

    def __init__(self, network: Sequence, pooling: str = "mean", over_time: bool = False) -> None:
        super().__init__()
        self.lstm, self.linear1 = network.lstm, network.linear1
        self.pooling, self.time = pooling, 0 if over_time else 1

    def forward(self, features: Tensor) -> tuple[Tensor, Tensor]:
        seen, _ = self.lstm(features.unsqueeze(1 - self.time))
        hidden = seen.squeeze(1 - self.time)
        pooled = hidden.mean(dim=0, keepdim=True) if self.pooling == "mean" else hidden[-1:]
        return self.linear1(pooled).softmax(dim=1)[:, FAKE], self.linear1(hidden).softmax(dim=1)[:, FAKE]
