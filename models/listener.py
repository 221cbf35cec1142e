"""What each detector says of one labelled item, before any calibration."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from types import TracebackType

import numpy as np

from models.analyze import DEFAULT_FRAMES
from models.evaluate.readers.media import CLIPS
from models.evaluate.samples import Sample
from models.panel import Panel
from models.pooling import of_best_faces
from models.training import shard
from models.training.crops import serving_crop
from models.training.harvest import Cut, Harvest, harvest
from models.types import Context, Face, MediaInfo, MediaKind, Score

Source = Callable[[Sample], Harvest]


@dataclass(frozen=True)
class Said:
    """`p_fake`: of each detector that scored the person seen most. `reason`: why nobody could be judged."""

    p_fake: Mapping[str, float] = field(default_factory=dict)
    reason: str = ""


class Listener:
    """`faces_of`: an item's faces, found, gated and cut as serving does it."""

    def __init__(self, faces_of: Source, detectors: Sequence[str], threads: int = 1) -> None:
        self._faces_of, self._panel = faces_of, Panel(detectors, threads)

    def __enter__(self) -> Listener:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._panel.close()

    def __call__(self, sample: Sample) -> Said:
        found = self._faces_of(sample)
        if found.reason:
            return Said(reason=found.reason)
        faces = [_face(cut) for cut in found.cuts]
        context = Context(_info(faces), DEFAULT_FRAMES)
        heard = [self._panel.hear(name, [faces], context) for name in self._panel.names]
        said = {one.name: one.said[0] for one in heard}
        # A picture has one face: pooling it changes nothing. A clip is calibrated as its best faces.
        return Said({name: of_best_faces(s).p_fake for name, s in said.items() if isinstance(s, Score)})


def source(data: Path) -> Source:
    """Of files as they are, or of a folder that `unmask prepare` filled."""
    if not shard.is_prepared(data):
        return lambda sample: harvest(sample.path, DEFAULT_FRAMES, shard.SERVING)
    prepared = shard.read_prepared(data)
    return partial(_row, prepared, {item.path: row for row, item in enumerate(prepared.items)})


def is_clip(sample: Sample) -> bool:
    return sample.path.suffix.lower() in CLIPS


def _row(prepared: shard.Shard, rows: Mapping[str, int], sample: Sample) -> Harvest:
    nowhere = np.zeros((68, 2), np.float32)
    return Harvest((Cut(serving_crop(prepared, rows[sample.name]), nowhere, None),))


def _face(cut: Cut) -> Face:
    side = float(cut.crop.shape[0])
    return Face(cut.t or 0.0, (0.0, 0.0, side, side), 1.0, cut.crop, cut.landmarks)


def _info(faces: Sequence[Face]) -> MediaInfo:
    kind: MediaKind = "image" if len(faces) == 1 else "video"
    side = faces[0].crop.shape[0]
    return MediaInfo(kind, "", side, side, faces[-1].t - faces[0].t, len(faces))
