"""Does a network answer the right way round? Asked of pictures whose truth is known, cut as serving cuts them."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from models import align
from models.errors import WeightsError
from models.evaluate.metrics import auc
from models.training.crops import PICTURES, cut
from models.types import Rgb

MOST = 200  # of each label
SURE = 1.96  # standard errors of the AUC away from one half


@dataclass(frozen=True)
class Known:
    """Aligned crops and whether each is fake."""

    crops: tuple[Rgb, ...]
    fake: NDArray[np.bool_]


@dataclass(frozen=True)
class Answer:
    """How the network's scores, high meant as fake, sort the known pictures. `sure` is -1, 0 or 1."""

    auc: float
    reals: int
    fakes: int
    sure: int

    def __str__(self) -> str:
        return f"AUC {self.auc:.3f} on {self.reals} genuine and {self.fakes} manipulated known pictures"


def read(folder: Path) -> Known:
    """The first pictures of `folder`/real and `folder`/fake."""
    crops: list[Rgb] = []
    fake: list[bool] = []
    for label in ("real", "fake"):
        paths = [path for path in sorted((folder / label).glob("*")) if path.suffix.lower() in PICTURES][:MOST]
        if not paths:
            raise WeightsError(f"{folder} needs known pictures in the folders real and fake; {label} has none.")
        for path in paths:
            with Image.open(path) as picture:
                crops.append(cut(np.asarray(picture.convert("RGB"), np.uint8))[0])
            fake.append(label == "fake")
    return Known(tuple(crops), np.array(fake))


def ask(known: Known, score: Callable[[Sequence[Rgb]], NDArray[np.float64]], margin: float, side: int) -> Answer:
    """`score`: crops -> p_fake. Mann-Whitney: with three pictures of each label a perfect order is just sure."""
    scores = score([align.narrowed(crop, margin, side) for crop in known.crops])
    reals, fakes = int((~known.fake).sum()), int(known.fake.sum())
    value = auc(scores, known.fake)
    error = math.sqrt((reals + fakes + 1) / (12 * reals * fakes))
    distance = (value - 0.5) / error
    return Answer(value, reals, fakes, int(distance >= SURE - 1e-2) - int(distance <= -SURE + 1e-2))


def refuse_reversed(answer: Answer | None, advice: str) -> None:
    if answer is not None and answer.sure < 0:
        raise WeightsError(f"The network answers the other way round: {answer}. {advice}")
