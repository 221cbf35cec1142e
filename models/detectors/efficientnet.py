"""EfficientNet with a dense head, as others trained it. Which end means fake is known from pictures, or not at all."""

from __future__ import annotations

from collections.abc import Sequence

from models import manifest
from models.detectors.perface import PerFace
from models.types import Abstained, Context, Face, Score

ONE_AT_A_TIME = 1  # B7 gains nothing from batches, and one picture of 600 px holds half a gigabyte already


class EfficientNet(PerFace):
    def score(self, faces: Sequence[Face], context: Context) -> Score | Abstained:
        if self._entry.polarity == "undecided":
            return Abstained("polarity_undecided")
        return super().score(faces, context)


def load(name: str, threads: int) -> EfficientNet:
    return EfficientNet(manifest.entry(name), threads, ONE_AT_A_TIME)
