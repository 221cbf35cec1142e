"""From numbers to a label: the vocabulary, the rule, and the JSON of a verdict. Pure; standard library only.

A machine never says "real". The thresholds are quantiles fitted on calibration data and come with the analysis.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

ACTIVE_STATES = ("queued", "fetching", "decoding", "analyzing")
FINAL_STATES = ("complete", "failed", "cancelled")

MACHINE_LABELS = (
    "manipulation_likely",
    "inconclusive",
    "no_evidence_found",
    "not_assessable",
    "disclosed_synthetic",
)
HUMAN_LABELS = (
    "confirmed_manipulated",
    "confirmed_authentic",
    "disclosed_synthetic",
    "misleading_context",
    "undecided",
)
LABELS = tuple(dict.fromkeys(MACHINE_LABELS + HUMAN_LABELS))
REASONS = (
    "no_face",
    "face_too_small",
    "too_few_frames",
    "too_short",
    "low_resolution",
    "heavy_compression",
    "blurred",
    "occluded_or_profile",
    "animation_or_art",
    "detectors_disagree",
    "out_of_distribution",
    "partial_coverage",
    "detector_failed",
    "not_calibrated",
    "canvas_capture",
)
ACQUISITIONS = ("download", "upload", "background", "canvas", "screenshot")
CAPPED = ("canvas", "screenshot")  # pixels read back through a browser
# IPTC's words for a trained model as the source of the whole or of a part; `algorithmicMedia` is none, that is drawn.
AI_SOURCES = ("trainedAlgorithmicMedia", "compositeWithTrainedAlgorithmicMedia", "compositeSynthetic")

Label = Literal[
    "manipulation_likely", "inconclusive", "no_evidence_found", "not_assessable", "disclosed_synthetic"
]  # fmt: skip


@dataclass(frozen=True)
class Thresholds:
    """Calibrated, never chosen: see the calibration file the analysis was made with."""

    likely_p: float
    no_evidence_quantile: float


@dataclass(frozen=True)
class Evidence:
    """What an analysis found, as far as the label depends on it; None = nothing could be judged."""

    probability: float | None
    p_value: float | None
    fake_quantile: float | None
    acquisition: str = "download"
    credentials: str = "unchecked"
    source_types: Sequence[str] = ()  # as the signer of the credentials states them

    @property
    def disclosed(self) -> bool:
        """A signer the operator trusts says that it was made with AI. Of anybody else this is a claim like others."""
        return self.credentials == "trusted" and declares_ai(self.source_types)


def declares_ai(source_types: Sequence[str]) -> bool:
    return not set(AI_SOURCES).isdisjoint(source_types)


def label(found: Evidence, thresholds: Thresholds) -> Label:
    """`likely` where genuine material hardly ever scores so, `no evidence` where manipulated material hardly ever does.

    Both rules at once, or neither: `inconclusive`. Pixels read back through a browser are altered by it (measured:
    a genuine photograph read at 95 % elsewhere), so they can never carry more than `inconclusive`. What a trusted
    signer discloses needs no pixels. Other credentials, marks, and the absence of both never move a label.
    """
    if found.disclosed:
        return "disclosed_synthetic"
    if found.probability is None or found.p_value is None or found.fake_quantile is None:
        return "not_assessable"
    if found.acquisition in CAPPED:
        return "inconclusive"
    likely = found.p_value <= thresholds.likely_p
    clean = found.fake_quantile < thresholds.no_evidence_quantile
    if likely == clean:
        return "inconclusive"
    return "manipulation_likely" if likely else "no_evidence_found"


def answers(made_from: str, asked_with: str) -> bool:
    """A capped verdict is no answer for who has the same bytes as a file: a cap is a claim, and anybody can make it."""
    return made_from not in CAPPED or asked_with in CAPPED


def reasons(found: Evidence, given: Sequence[str], *, complete: bool) -> list[str]:
    """The analysis's own reasons, and those that only the way the media came here can tell."""
    extra = []
    if found.acquisition in CAPPED:
        extra.append("canvas_capture")
    if not complete:
        extra.append("partial_coverage")
    return list(dict.fromkeys([*given, *extra]))


def body(
    *,
    decided: Label,
    media: Mapping[str, Any],
    kinds: Sequence[str],
    probability: float | None,
    interval: Sequence[float] | None,
    prior: float,
    calibration: str,
    scale: Mapping[str, float | None] | None,
    why: Sequence[str],
    coverage: Mapping[str, Any],
    detectors: Sequence[Mapping[str, Any]],
    segments: Sequence[Mapping[str, Any]],
    pipeline: str,
    provenance: Mapping[str, Any],
    match: Mapping[str, Any] | None = None,
    forensics: Sequence[Mapping[str, Any]] = (),
) -> dict[str, Any]:
    """The part of a verdict's JSON that never changes. Id, version and staleness are added when it is shown."""
    return {
        "media": dict(media),
        "label": decided,
        "basis": "provenance" if decided == "disclosed_synthetic" else "ensemble",
        "kinds": {"manipulation_likely": list(kinds), "disclosed_synthetic": ["synthetic"]}.get(decided, []),
        "probability": _rounded(probability),
        "interval": [_rounded(edge) for edge in interval] if interval else None,
        "prior": prior,
        "calibration": calibration,
        "scale": {name: _rounded(mark) for name, mark in scale.items()} if scale else None,
        "reasons": list(why),
        "coverage": dict(coverage),
        "detectors": [dict(detector) for detector in detectors],
        "segments": [dict(segment) for segment in segments],
        "forensics": [dict(made) for made in forensics],
        "provenance": dict(provenance),
        "match": dict(match) if match else None,
        "review": None,
        "pipeline": pipeline,
    }


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(float(value), 4)
