"""Blend: a Lite0 trunk that looks for the seam of a swap, with a mask head that shows where it is."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from models import manifest, runtime
from models.batcher import Arrays
from models.detectors.perface import PerFace
from models.types import Abstained, Context, Face, Score


class Blend(PerFace):
    """Its graph scales by itself: uint8 RGB crops (n, 256, 256, 3) -> p_fake (n,), mask (n, 20, 20) in [0, 1]."""

    def score(self, faces: Sequence[Face], context: Context) -> Score | Abstained:
        """The heatmap is the mask as it is, not stretched to its own peak: where nothing is altered it stays dark."""
        if not faces:
            return Abstained("no_face")
        p_fake, masks = self._batcher([face.crop for face in faces])
        return Score(float(np.median(p_fake)), tuple(p_fake.tolist()), tuple(masks))

    def _run(self, crops: NDArray[np.uint8]) -> Arrays:
        session = runtime.session_of_file(self._entry.path, self._entry.sha256, self._threads)
        p_fake, masks = session.run(["p_fake", "mask"], {"crops": crops})
        return np.asarray(p_fake, np.float32), np.asarray(masks, np.float32)


def load(name: str, threads: int) -> Blend:
    return Blend(manifest.entry(name), threads)
