"""From a sample to an analysis: whole files through the line that serves, or faces that were cut before."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Protocol

import cv2
import numpy as np

from models import align, calibrate, manifest, pipeline, registry, summary
from models.analyze import DEFAULT_FRAMES, Analyzer
from models.decode import DecodeLimits, decode, probe, watch
from models.evaluate.changes import Change
from models.evaluate.samples import Sample
from models.evidence import Album
from models.panel import Panel
from models.training.crops import Shard, serving_crop
from models.types import Analysis, Context, Face, FaceTrack, Frame, Glance, MediaInfo, Rgb

LIMITS = DecodeLimits(max_pixels=40_000_000, max_seconds=3600)


class Judge(Protocol):
    pipeline: str
    detectors: tuple[str, ...]
    calibration: calibrate.Calibration

    def __call__(self, sample: Sample, change: Change | None) -> Analysis: ...

    def close(self) -> None: ...


class Files:
    """Decode, find, follow, ask, combine: what a check does with the file."""

    def __init__(
        self,
        detectors: Sequence[str] | None,
        calibration: Path | None = None,
        threads: int = 1,
        finder: str = registry.DEFAULT_FINDER,
    ) -> None:
        self._analyzer = Analyzer(calibration, detectors, threads, finder)
        self.pipeline, self.detectors = self._analyzer.pipeline, self._analyzer.detectors
        self.calibration = self._analyzer.calibration

    def __call__(self, sample: Sample, change: Change | None) -> Analysis:
        info = probe(sample.path, LIMITS)
        read = watch if self._analyzer.wants_glances() else decode
        pictures: Iterable[Frame | Glance] = read(sample.path, LIMITS, DEFAULT_FRAMES)
        if change is not None:
            pictures = (_changed(picture, change) for picture in pictures)
        return self._analyzer.analyze(pictures, info)

    def close(self) -> None:
        self._analyzer.close()


class Crops:
    """One prepared face an item, as it stands in the shard: nothing is looked for, and no gate turns it down."""

    def __init__(
        self, shard: Shard, detectors: Sequence[str] | None, calibration: Path | None = None, threads: int = 1
    ) -> None:
        self.detectors = registry.chosen(detectors)
        fitted = calibrate.load(calibration)
        self.pipeline = pipeline.version(fitted, self.detectors)
        self.calibration = calibrate.of_weights(fitted, {name: e.digest for name, e in manifest.read().items()})
        self._panel = Panel(self.detectors, threads)
        self._shard = shard
        self._row = {item.path: row for row, item in enumerate(shard.items)}

    def __call__(self, sample: Sample, change: Change | None) -> Analysis:
        crop = serving_crop(self._shard, self._row[sample.name])
        if change is not None:
            crop = _of_serving_size(change(np.ascontiguousarray(crop)))
        face = Face(0.0, (0.0, 0.0, *crop.shape[1::-1]), 1.0, crop, np.zeros((68, 2), np.float32))
        info = MediaInfo("image", "image/png", crop.shape[1], crop.shape[0], 0.0, 1)
        looked_at = summary.LookedAt()
        looked_at.add(Frame(crop, 0.0, 0), [face])
        heard = [self._panel.hear(name, [[face]], Context(info, 1)) for name in self.detectors]
        return summary.analysis([FaceTrack(0, (face,))], heard, looked_at, info, self.calibration, Album())

    def close(self) -> None:
        self._panel.close()


def _changed(picture: Frame | Glance, change: Change) -> Frame | Glance:
    if isinstance(picture, Frame):
        return replace(picture, rgb=change(picture.rgb))
    return replace(picture, grey=change(np.repeat(picture.grey[..., None], 3, axis=2))[..., 1])


def _of_serving_size(crop: Rgb) -> Rgb:
    side = align.CROP_SIDE
    return np.asarray(cv2.resize(crop, (side, side), interpolation=cv2.INTER_LINEAR), np.uint8)
