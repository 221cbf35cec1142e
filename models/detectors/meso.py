"""Meso-4 and MesoInception-4: small networks (28,000 weights) that look at the texture of an aligned face."""

from __future__ import annotations

from collections.abc import Sequence

from models import manifest
from models.detectors.perface import PerFace
from models.pooling import of_best_faces
from models.types import Abstained, Context, Face, Score

FEWEST_FACES = 5


class OverTime(PerFace):
    """Trained on clips: a person is the mean of the best faces."""

    def score(self, faces: Sequence[Face], context: Context) -> Score | Abstained:
        if len(faces) < FEWEST_FACES:
            return Abstained("too_few_frames" if faces else "no_face")
        said = super().score(faces, context)
        return of_best_faces(said) if isinstance(said, Score) else said


def load(name: str, threads: int) -> PerFace:
    return PerFace(manifest.entry(name), threads)


def load_over_time(name: str, threads: int) -> OverTime:
    return OverTime(manifest.entry(name), threads)
