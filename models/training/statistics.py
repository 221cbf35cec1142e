"""Statistics of augmented faces, gathered for as long as there is time, and the linear head that is fitted on them.

The network that sees never changes, so each face is looked at once: a head without one generator costs seconds.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from rich.progress import track
from torch import Tensor
from torch.nn import functional as F

from models.networks.residuals import SyntheticNet, Texture
from models.training.plan import Budget
from models.training.torch_loop import half
from models.types import Floats, Rgb

log = logging.getLogger(__name__)

BATCH = 48
SMOOTHING = 0.05
DECAY = 0.01  # of the head's weights; from .003 to .1 a left-out generator's AUC moved by .02
NARROWEST = 1e-3  # of a statistic's spread
MOST_SWEEPS = 120

Indices = NDArray[np.int64]


@dataclass(frozen=True)
class Seen:
    """`values` (n, width) of the items that `items` (n,) names; an item comes again with other wear."""

    values: NDArray[np.float16]
    items: Indices
    seconds: float

    def of(self, chosen: NDArray[np.bool_]) -> Seen:
        return Seen(self.values[chosen], self.items[chosen], self.seconds)


def gather(
    texture: Texture, draw: Callable[[int], tuple[Rgb, Indices]], budget: Budget, path: Path, resume: bool
) -> Seen:
    """`draw`: the crops (n, side, side, 3) of a step and their items. What was gathered is kept in `path`."""
    seen = _read(path) if resume and path.exists() else Seen(np.zeros((0, 0), np.float16), np.zeros(0, np.int64), 0.0)
    begun = saved = time.monotonic()
    values, items = [seen.values] if len(seen.items) else [], [seen.items]
    first = len(seen.items) // BATCH
    while budget.spent(first, seconds := seen.seconds + time.monotonic() - begun) < 1:
        crops, drawn = draw(first)
        values.append(look(texture, crops).astype(np.float16))
        items.append(drawn)
        first += 1
        if time.monotonic() - saved > budget.save_seconds:
            _write(path, Seen(np.concatenate(values), np.concatenate(items), seconds))
            log.info("%d faces in %.0f s", first * BATCH, seconds)
            saved = time.monotonic()
    whole = Seen(np.concatenate(values), np.concatenate(items), seconds)
    _write(path, whole)
    return whole


@torch.no_grad()
def look(texture: Texture, crops: Rgb) -> Floats:
    with half(torch.device("cpu")):
        seen: Tensor = texture(torch.from_numpy(crops))
    return np.asarray(seen.float().numpy(), np.float32)


def head(texture: Texture, seen: Seen, made: NDArray[np.bool_], importance: NDArray[np.float64]) -> SyntheticNet:
    """Logistic regression: `made` and `importance` (n,) of each row."""
    values = torch.from_numpy(seen.values.astype(np.float32))
    scale = values.std(dim=0) + NARROWEST
    network = SyntheticNet(texture, values.mean(dim=0), scale)
    wanted = torch.from_numpy(made.astype(np.float32) * (1 - SMOOTHING) + SMOOTHING / 2)
    weights = torch.from_numpy((importance / importance.sum()).astype(np.float32))
    torch.nn.init.zeros_(network.logit.weight)
    torch.nn.init.zeros_(network.logit.bias)
    fitting = torch.optim.LBFGS(network.logit.parameters(), max_iter=MOST_SWEEPS, line_search_fn="strong_wolfe")

    def sweep() -> Tensor:
        fitting.zero_grad()
        each = F.binary_cross_entropy_with_logits(network.judged(values), wanted, reduction="none")
        loss = (each * weights).sum() + DECAY * network.logit.weight.square().sum()
        loss.backward()  # type: ignore[no-untyped-call]
        return loss

    fitting.step(sweep)  # type: ignore[no-untyped-call]
    return network.eval()


@torch.no_grad()
def logits(network: SyntheticNet, show: Callable[[int], Rgb], among: Indices) -> NDArray[np.float64]:
    """Of the crops that `show` gives of each item."""
    pieces = [among[start : start + BATCH] for start in range(0, len(among), BATCH)]
    crops = (np.stack([show(int(i)) for i in piece]) for piece in track(pieces, "judging faces"))
    values = np.concatenate([look(network.texture, some) for some in crops])
    return np.asarray(network.judged(torch.from_numpy(values)).numpy(), np.float64)


def _read(path: Path) -> Seen:
    with np.load(path) as kept:
        return Seen(kept["values"], kept["items"], float(kept["seconds"]))


def _write(path: Path, seen: Seen) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_suffix(".partial.npz")
    np.savez(unfinished, values=seen.values, items=seen.items, seconds=seen.seconds)
    unfinished.replace(path)
