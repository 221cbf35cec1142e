"""What detectors that judge one face at a time have in common: crops, batches, and the median over a track."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from models import align, manifest, runtime
from models.batcher import MOST_CROPS, Arrays, Batcher
from models.types import Abstained, Context, Face, Floats, Score


class PerFace:
    """Serves a graph exported here: uint8 RGB crops (n, side, side, 3) -> p_fake (n,), cam (n, h, w)."""

    def __init__(self, entry: manifest.Entry, threads: int, most: int = MOST_CROPS) -> None:
        self.name, self.version = entry.name, entry.version
        self._entry, self._threads = entry, threads
        self._batcher = Batcher(self._run, most)

    def score(self, faces: Sequence[Face], context: Context) -> Score | Abstained:
        """A track is the median of its faces: one blurred frame in a hundred must not make a genuine clip a fake."""
        if not faces:
            return Abstained("no_face")
        side, margin = self._entry.input_size, self._entry.margin
        p_fake, *cams = self._batcher([align.narrowed(face.crop, margin, side) for face in faces])
        heatmaps = tuple(_heat(cam, margin) for cam in cams[0]) if cams else ()
        return Score(float(np.median(p_fake)), tuple(p_fake.tolist()), heatmaps)

    def close(self) -> None:
        self._batcher.close()

    def _run(self, crops: NDArray[np.uint8]) -> Arrays:
        session = runtime.session_of_file(self._entry.path, self._entry.sha256, self._threads)
        p_fake, cams = session.run(["p_fake", "cam"], {"crops": crops})
        return np.asarray(p_fake, np.float32), np.asarray(cams, np.float32)


def _heat(cam: Floats, margin: float) -> Floats:
    """In [0, 1], over the aligned crop: what lies outside a tighter detector's own crop stays cold."""
    peak = float(cam.max())
    heat = cam / peak if peak > 0 else np.zeros_like(cam)
    return heat if margin >= align.WIDEST_MARGIN else align.widened(heat, margin)
