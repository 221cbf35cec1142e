"""What a run needs beside the check itself, built once in a worker process."""

from __future__ import annotations

from dataclasses import dataclass

from models.analyze import Analyzer
from server import verdict
from server.settings import Settings
from server.store.db import Database
from server.store.evidence import EvidenceStore


@dataclass(frozen=True)
class Tools:
    settings: Settings
    database: Database
    evidence: EvidenceStore
    analyzer: Analyzer

    @property
    def thresholds(self) -> verdict.Thresholds:
        return thresholds(self.analyzer)


def thresholds(analyzer: Analyzer) -> verdict.Thresholds:
    fitted = analyzer.calibration
    return verdict.Thresholds(likely_p=fitted.likely_p, no_evidence_quantile=fitted.no_evidence_quantile)


def make_tools(settings: Settings, database: Database) -> Tools:
    return Tools(
        settings=settings,
        database=database,
        evidence=EvidenceStore(settings.evidence),
        analyzer=Analyzer(settings.calibration, onnx_threads=settings.onnx_threads),
    )
