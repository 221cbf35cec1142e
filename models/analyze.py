"""Frames to an Analysis: faces, tracks, detectors, ensemble. One Analyzer serves all threads of a worker."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from models.types import Analysis, Frame, MediaInfo, Progress

SEQUENCE_LENGTHS = (10, 20, 40, 60, 80, 100)
DEFAULT_FRAMES = 60


class Analyzer:
    def __init__(
        self, calibration: Path | None = None, detectors: Sequence[str] | None = None, onnx_threads: int = 1
    ) -> None:
        raise NotImplementedError

    @property
    def pipeline(self) -> str:
        """Version of code, weights and calibration together; a new one makes stored verdicts stale."""
        raise NotImplementedError

    def analyze(
        self,
        frames: Iterable[Frame],
        info: MediaInfo,
        progress: Progress | None = None,
        detectors: Sequence[str] | None = None,
    ) -> Analysis:
        """Judge a stream of frames; `detectors` narrows the choice (unknown name: UnknownDetector)."""
        raise NotImplementedError

    def close(self) -> None:
        raise NotImplementedError
