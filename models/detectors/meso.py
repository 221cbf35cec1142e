"""Meso-4 and MesoInception-4: small networks (28,000 weights) that look at the texture of an aligned face."""

from __future__ import annotations

from models import manifest
from models.detectors.perface import PerFace


def load(name: str, threads: int) -> PerFace:
    return PerFace(manifest.entry(name), threads)
