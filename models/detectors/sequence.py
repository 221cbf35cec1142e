"""ResNeXt50 + LSTM over a person's faces in order of time: the file trained on the length that was asked for judges.

Each part of its manifest entry is one published file: the length and accuracy of its name, its recurrent head, and
its feature extractor. Parts whose extractors are the same file share its session and batches.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models import align, manifest, runtime
from models.batcher import Arrays, Batcher
from models.types import Abstained, Context, Face, Score

FEWEST_FACES = 5


def best(parts: Sequence[Mapping[str, Any]], frames: int) -> Mapping[str, Any]:
    """The most accurate part for that length; of the nearest length when there is none, the shorter of two as near."""
    return min(parts, key=lambda part: (abs(part["frames"] - frames), part["frames"], -part["accuracy"]))


class SequenceDetector:
    def __init__(self, entry: manifest.Entry, threads: int) -> None:
        self.name, self.version = entry.name, entry.version
        self._entry, self._threads = entry, threads
        self._lock = threading.Lock()
        self._extractors: dict[str, Batcher] = {}

    def score(self, faces: Sequence[Face], context: Context) -> Score | Abstained:
        if len(faces) < FEWEST_FACES:
            return Abstained("too_few_frames" if faces else "no_face")
        part = best(self._entry.parts, context.frames)
        chosen = _spread(faces, part["frames"])
        side, margin = self._entry.input_size, self._entry.margin
        (features,) = self._extractor(part)([align.narrowed(face.crop, margin, side) for face in chosen])
        path = self._entry.folder / part["head"]
        head = runtime.session_of_file(path, part["head_sha256"], self._threads)
        p_fake, per_face = head.run(["p_fake", "per_face"], {"features": features})
        parallel = tuple(per_face.tolist()) if len(chosen) == len(faces) else ()
        return Score(float(p_fake[0]), parallel, note=_note(part, context.frames))

    def close(self) -> None:
        for batcher in self._extractors.values():
            batcher.close()

    def _extractor(self, part: Mapping[str, Any]) -> Batcher:
        file, sha256 = part["features"], part["features_sha256"]

        def run(crops: NDArray[np.uint8]) -> Arrays:
            session = runtime.session_of_file(self._entry.folder / file, sha256, self._threads)
            return (np.asarray(session.run(["features"], {"crops": crops})[0], np.float32),)

        with self._lock:
            return self._extractors.setdefault(sha256, Batcher(run))


def load(name: str, threads: int) -> SequenceDetector:
    return SequenceDetector(manifest.entry(name), threads)


def _spread(faces: Sequence[Face], most: int) -> list[Face]:
    """At most that many, evenly over the track, in their order."""
    if len(faces) <= most:
        return list(faces)
    return [faces[i] for i in np.linspace(0, len(faces) - 1, most).round().astype(int)]


def _note(part: Mapping[str, Any], asked: int) -> str:
    used = f"the file for {part['frames']} frames"
    return used if part["frames"] == asked else f"no file for {asked} frames is installed: {used}, the nearest, judged"
