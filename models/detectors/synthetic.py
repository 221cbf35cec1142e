"""Synthetic: how likely a generator made the picture as a whole, by the fine detail of its faces."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from models import manifest, runtime
from models.batcher import Arrays
from models.detectors.perface import PerFace


class Synthetic(PerFace):
    """Its graph scales by itself: uint8 RGB crops (n, 256, 256, 3) -> p_fake (n,). No place is altered."""

    def _run(self, crops: NDArray[np.uint8]) -> Arrays:
        session = runtime.session_of_file(self._entry.path, self._entry.sha256, self._threads)
        return (np.asarray(session.run(["p_fake"], {"crops": crops})[0], np.float32),)


def load(name: str, threads: int) -> Synthetic:
    return Synthetic(manifest.entry(name), threads)
