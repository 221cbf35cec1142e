"""What a run needs beside the check itself, built once in a worker process."""

from __future__ import annotations

from dataclasses import dataclass

from models.analyze import Analyzer
from server import verdict
from server.sandbox.forkserver import ForkServer
from server.settings import Settings
from server.store.db import Database
from server.store.evidence import EvidenceStore
from server.worker import judged
from server.worker.media import children


@dataclass(frozen=True)
class Tools:
    settings: Settings
    database: Database
    evidence: EvidenceStore
    analyzer: Analyzer
    children: ForkServer

    @property
    def thresholds(self) -> verdict.Thresholds:
        return judged.thresholds(self.analyzer.calibration)


def make_tools(settings: Settings, database: Database) -> Tools:
    analyzer = Analyzer(settings.calibration, onnx_threads=settings.onnx_threads, finder=settings.face_finder)
    analyzer.warm()  # now, rather than while the first person waits
    forks = children(settings)
    forks.warm()
    return Tools(settings, database, EvidenceStore(settings.evidence), analyzer, forks)
