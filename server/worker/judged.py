"""From an analysis to the JSON of a verdict: the one place that knows both the detectors' words and the service's."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict
from typing import Any

from models.calibrate import Calibration
from models.types import Analysis, DetectorReport, MediaInfo, Provenance, Segment, ShownFace
from server import verdict as rules

Keep = Callable[[str, bytes], str]  # (kind, JPEG) -> the address it has from now on


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
    forensics: Sequence[dict[str, Any]] = (),
    match: dict[str, Any] | None = None,
) -> dict[str, Any]:
    told = info.provenance
    found = rules.Evidence(
        analysis.probability, analysis.p_value, analysis.fake_quantile, acquisition, told.c2pa, told.source_types
    )
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
        scale=asdict(analysis.scale) if analysis.scale else None,
        why=rules.reasons(found, analysis.reasons, complete=complete),
        coverage={
            **asdict(analysis.coverage),
            "seconds": round(analysis.coverage.seconds, 3),
            "acquisition": acquisition,
        },
        detectors=[_detector(report) for report in analysis.detectors],
        segments=segments,
        pipeline=pipeline,
        provenance=_provenance(told),
        match=match,
        forensics=forensics,
    )


def _provenance(told: Provenance) -> dict[str, Any]:
    return {
        "c2pa": told.c2pa,
        "signer": told.signer,
        "source_types": list(told.source_types),
        "declares_ai": rules.declares_ai(told.source_types),
        "generator": told.generator,
        "marks": [asdict(mark) for mark in told.marks],
    }


def segments(analysis: Analysis, keep: Keep) -> list[dict[str, Any]]:
    """With the pictures kept elsewhere, each once: people of one frame share it."""
    frames: dict[bytes, str] = {}

    def face(shown: ShownFace) -> dict[str, Any]:
        if shown.frame and shown.frame.jpeg not in frames:
            frames[shown.frame.jpeg] = keep("frame", shown.frame.jpeg)
        return {
            "t": round(shown.t, 3),
            "box": [round(edge) for edge in shown.box],
            "score": round(shown.score, 4),
            "face": keep("face", shown.face),
            "heatmap": keep("heatmap", shown.heatmap) if shown.heatmap else None,
            "frame": frames[shown.frame.jpeg] if shown.frame else None,
            "frame_size": [shown.frame.width, shown.frame.height] if shown.frame else None,
        }

    return [_segment(segment, [face(shown) for shown in segment.frames]) for segment in analysis.segments]


def forensics(analysis: Analysis, keep: Keep) -> list[dict[str, Any]]:
    return [
        {"name": made.name, "picture": keep("forensic", made.picture), "reading": made.reading}
        for made in analysis.forensics
    ]


def _segment(segment: Segment, frames: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "start": round(segment.start, 3),
        "end": round(segment.end, 3),
        "track": segment.track,
        "score": round(segment.score, 4),
        "frames": frames,
        "timeline": [{"t": round(t, 3), "score": round(score, 4)} for t, score in segment.timeline],
    }


def _detector(report: DetectorReport) -> dict[str, Any]:
    rounded = {name: round(getattr(report, name), 4) for name in ("weight", "contribution")}
    return {**asdict(report), **rounded, "score": None if report.score is None else round(report.score, 4)}
