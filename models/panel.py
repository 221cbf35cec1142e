"""The detectors of one Analyzer: loaded when first asked, heard one after the other, a failure never scored."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field

from models import registry
from models.errors import ModelsError
from models.types import Abstained, Context, Detector, Face, Score

log = logging.getLogger(__name__)

FAILED = "detector_failed"


@dataclass
class Heard:
    """What one detector said of every track of a file; `said[i]` is None where it failed."""

    name: str
    version: str
    said: list[Score | Abstained | None] = field(default_factory=list)
    seconds: float = 0.0

    @property
    def failed(self) -> bool:
        return None in self.said


class Panel:
    def __init__(self, names: Sequence[str], threads: int) -> None:
        self.names = tuple(names)
        self._threads = threads
        self._lock = threading.Lock()
        self._loaded: dict[str, Detector] = {}

    def hear(self, name: str, tracks: Sequence[Sequence[Face]], context: Context) -> Heard:
        """Ask one detector about the usable faces of every track."""
        begun = time.perf_counter()
        heard = Heard(name, "")
        try:
            detector = self._detector(name)
            heard.version = detector.version
            heard.said.extend(detector.score(faces, context) for faces in tracks)
        except ModelsError as error:  # its sentence says what to do
            log.error("detector %s failed: %s", name, error)
            heard.said = [None] * len(tracks)
        except Exception:  # a detector's edge: it may come from anybody, and its failure is recorded, never scored
            log.exception("detector %s failed", name)
            heard.said = [None] * len(tracks)
        heard.seconds = time.perf_counter() - begun
        return heard

    def warm(self) -> None:
        for name in self.names:
            self._detector(name)

    def close(self) -> None:
        with self._lock:
            for detector in self._loaded.values():
                close = getattr(detector, "close", None)
                if close is not None:
                    close()
            self._loaded.clear()

    def _detector(self, name: str) -> Detector:
        with self._lock:
            if name not in self._loaded:
                self._loaded[name] = registry.load(name, self._threads)
            return self._loaded[name]
