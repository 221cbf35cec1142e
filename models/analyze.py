"""Frames to an Analysis: faces, tracks, detectors, ensemble. One Analyzer serves all threads of a worker."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path

from models import calibrate, faces, forensics, manifest, pipeline, registry, summary
from models.evidence import Album
from models.eyes import Follower
from models.panel import Panel
from models.stopwatch import Stopwatch
from models.tracks import Tracker
from models.types import Analysis, Context, ForensicMap, Frame, Glance, MediaInfo, Progress

DEFAULT_FRAMES = 60

log = logging.getLogger(__name__)


class Analyzer:
    def __init__(
        self,
        calibration: Path | None = None,
        detectors: Sequence[str] | None = None,
        onnx_threads: int = 1,
        finder: str = registry.DEFAULT_FINDER,
    ) -> None:
        """Reads the calibration and nothing else; models load with the first analysis, or with `warm`."""
        self.detectors = registry.chosen(detectors)
        if gone := registry.missing():
            log.warning(
                "the weights of %s are gone: nothing is judged by them; `unmask models list` says what to do",
                " and ".join(gone),
            )
        fitted = calibrate.load(calibration)
        self._pipeline = pipeline.version(fitted, self.detectors, finder)
        self.calibration = calibrate.of_weights(fitted, {name: e.digest for name, e in manifest.read().items()})
        self._panel = Panel(self.detectors, onnx_threads)
        self._threads = onnx_threads
        self._find = registry.finder(finder)

    @property
    def pipeline(self) -> str:
        """Version of code, weights and calibration together; a new one makes stored verdicts stale."""
        return self._pipeline

    def wants_glances(self, detectors: Sequence[str] | None = None) -> bool:
        """Whether one of these detectors looks between the frames, which are then to come from `decode.watch`."""
        chosen = self.detectors if detectors is None else detectors
        return any(line.glances for name, line in registry.DETECTORS.items() if name in chosen)

    def analyze(
        self,
        frames: Iterable[Frame | Glance],
        info: MediaInfo,
        progress: Progress | None = None,
        detectors: Sequence[str] | None = None,
        expected: int = DEFAULT_FRAMES,
    ) -> Analysis:
        """Judge a stream of frames; `detectors` narrows the choice (UnknownDetector, NotInstalled).

        Frames are let go as they are read: what stays are crops of faces and small JPEGs. `expected` frames make
        progress 1.
        """
        names = self.detectors if detectors is None else registry.chosen(detectors)
        say = progress or _silent
        watch = Stopwatch()
        looked_at = summary.LookedAt()
        tracker, album, follower = Tracker(), Album(), Follower()
        maps: tuple[ForensicMap, ...] = ()
        most = faces.MOST_IN_PICTURE if info.kind == "image" else faces.MOST_IN_FRAME
        for frame in watch.waiting("decode", frames):
            if isinstance(frame, Glance):
                looked_at.missing += frame.missing
                with watch.stage("eyes"):
                    follower.add(frame)
                continue
            with watch.stage("faces"):
                found = faces.find(frame, most, self._threads, self._find)
            with watch.stage("tracks"):
                tracker.add(found, frame.rgb)
            follower.start(frame, found)
            with watch.stage("evidence"):
                album.add(frame, found)
            with watch.stage("forensics"):
                maps = forensics.maps(frame.rgb, info)
            looked_at.add(frame, found)
            say("faces", min(1.0, looked_at.frames / max(1, min(info.frames, expected))))
        with watch.stage("tracks"):
            judged = [follower.with_lids(track) for track in summary.judgeable(tracker.tracks(), info)]
        context = Context(info, expected)
        heard = []
        for number, name in enumerate(names):
            say("detectors", number / len(names))
            with watch.stage(name):
                heard.append(self._panel.hear(name, [track.usable for track in judged], context))
        say("evidence", 0.0)
        with watch.stage("evidence"):
            analysis = summary.analysis(judged, heard, looked_at, info, self.calibration.of_kind(info.kind), album)
        say("evidence", 1.0)
        analysis.timings.update(watch.seconds)
        return replace(analysis, forensics=maps)

    def warm(self) -> None:
        """Load everything now, so that the first check does not wait for it."""
        faces.warm(self._threads, self._find)
        self._panel.warm()

    def close(self) -> None:
        self._panel.close()


def _silent(stage: str, share: float) -> None:
    return None
