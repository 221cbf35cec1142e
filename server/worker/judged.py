"""From an analysis to the JSON of a verdict: the one place that knows both the detectors' words and the service's."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from models.calibrate import Calibration
from models.types import Analysis, DetectorReport, MediaInfo
from server import verdict as rules


def thresholds(fitted: Calibration) -> rules.Thresholds:
    return rules.Thresholds(fitted.likely_p, fitted.no_evidence_quantile)


def body(
    analysis: Analysis,
    info: MediaInfo,
    *,
    thresholds: rules.Thresholds,
    pipeline: str,
    sha256: str,
    acquisition: str,
    complete: bool,
    segments: Sequence[dict[str, Any]] = (),
) -> dict[str, Any]:
    found = rules.Evidence(analysis.probability, analysis.p_value, analysis.fake_quantile, acquisition)
    return rules.body(
        decided=rules.label(found, thresholds),
        media={
            "sha256": sha256,
            "kind": info.kind,
            "duration": round(info.duration, 3),
            "width": info.width,
            "height": info.height,
        },
        kinds=analysis.kinds,
        probability=analysis.probability,
        interval=analysis.interval,
        prior=analysis.prior,
        calibration=analysis.calibration,
        why=rules.reasons(found, analysis.reasons, complete=complete),
        coverage={
            **asdict(analysis.coverage),
            "seconds": round(analysis.coverage.seconds, 3),
            "acquisition": acquisition,
        },
        detectors=[_detector(report) for report in analysis.detectors],
        segments=segments,
        pipeline=pipeline,
    )


def _detector(report: DetectorReport) -> dict[str, Any]:
    score = None if report.score is None else round(report.score, 4)
    return {**asdict(report), "score": score, "weight": round(report.weight, 4)}
