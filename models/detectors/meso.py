"""Meso-4: a small network (28,000 weights) that looks at the mesoscopic texture of an aligned face."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from models import manifest, runtime
from models.batcher import Arrays, Batcher
from models.types import Abstained, Context, Face, Floats, Score


class Meso:
    """Serves an exported graph: uint8 RGB crops (n, 256, 256, 3) -> p_fake (n,), cam (n, 32, 32)."""

    def __init__(self, entry: manifest.Entry, threads: int) -> None:
        self.name, self.version = entry.name, entry.version
        self._entry, self._threads = entry, threads
        self._batcher = Batcher(self._run)

    def score(self, faces: Sequence[Face], context: Context) -> Score | Abstained:
        """A track is the median of its faces: one blurred frame in a hundred must not make a genuine clip a fake."""
        if not faces:
            return Abstained("no_face")
        p_fake, cams = self._batcher([face.crop for face in faces])
        return Score(float(np.median(p_fake)), tuple(p_fake.tolist()), tuple(_heat(cam) for cam in cams))

    def close(self) -> None:
        self._batcher.close()

    def _run(self, crops: NDArray[np.uint8]) -> Arrays:
        session = runtime.session_of_file(self._entry.path, self._entry.sha256, self._threads)
        p_fake, cams = session.run(["p_fake", "cam"], {"crops": crops})
        return np.asarray(p_fake, np.float32), np.asarray(cams, np.float32)


def load(name: str, threads: int) -> Meso:
    return Meso(manifest.entry(name), threads)


def _heat(cam: Floats) -> Floats:
    peak = float(cam.max())
    return cam / peak if peak > 0 else np.zeros_like(cam)
