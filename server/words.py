"""What people read: one sentence for every label and reason, the same in console, reports and command line."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

LABELS = {
    "manipulation_likely": "Manipulation likely",
    "inconclusive": "Inconclusive",
    "no_evidence_found": "No sign of manipulation found",
    "not_assessable": "Could not be assessed",
    "disclosed_synthetic": "Declared as AI-made",
    "confirmed_manipulated": "Confirmed manipulated, by a reviewer",
    "confirmed_authentic": "Confirmed authentic, by a reviewer",
    "misleading_context": "Misleading context, by a reviewer",
    "undecided": "Reviewed, undecided",
}

_FINE_DETAIL = "The picture has lost the fine detail this check reads ({}). An earlier copy may tell more."

REASONS = {
    "no_face": "No face was found, and this check looks at faces. Try a moment where the face is visible.",
    "face_too_small": "The face is too small: below 80 pixels of width the result would be a guess.",
    "too_few_frames": "Too few frames show a usable face to judge by.",
    "too_short": "The clip is too short for the blink check (10 s are needed).",
    "low_resolution": _FINE_DETAIL.format("low resolution"),
    "heavy_compression": _FINE_DETAIL.format("strong compression"),
    "blurred": _FINE_DETAIL.format("blur"),
    "occluded_or_profile": "The face is covered or turned away. Try a moment where it looks at the camera.",
    "animation_or_art": "This does not look like the photographs the methods know.",
    "detectors_disagree": "The methods disagree. A reviewer should look.",
    "out_of_distribution": "This does not look like the photographs the methods know.",
    "partial_coverage": "Only a part of it was looked at.",
    "detector_failed": "One of the methods failed; the others were heard.",
    "not_calibrated": "No calibrated method could judge it: the scores below are shown, and decide nothing.",
    "canvas_capture": "Seen through your browser, not the original file: certainty is capped.",
}

STATES = {
    "queued": "Waiting",
    "fetching": "Fetching",
    "decoding": "Reading the file",
    "analyzing": "Looking at faces",
    "complete": "Done",
    "failed": "Could not be checked",
    "cancelled": "Cancelled",
}


def percent(probability: float) -> int:
    """1-99: never certain, in either direction."""
    return min(99, max(1, round(probability * 100)))


def sentence(verdict: Mapping[str, Any]) -> str:
    """The sentence under the label: what the number means, and what was seen."""
    return " ".join(part for part in (_meaning(verdict), _seen(verdict)) if part)


def _meaning(verdict: Mapping[str, Any]) -> str:
    label, probability = verdict["label"], verdict["probability"]
    if label == "manipulation_likely" and probability is not None:
        low, high = (percent(edge) for edge in verdict["interval"])
        return (
            f"Of material that scores like this, {percent(probability)} in 100 was manipulated ({low}-{high}), "
            "where half the material is."
        )
    if label == "no_evidence_found":
        return "Looks like untouched material this check knows."
    return "Not enough to say." if label in ("inconclusive", "not_assessable") else ""


def _seen(verdict: Mapping[str, Any]) -> str:
    coverage = verdict["coverage"]
    if not coverage["faces"]:
        return ""
    faces = f"{coverage['faces']} face{'s' if coverage['faces'] != 1 else ''}"
    people = "one person" if coverage["tracks"] == 1 else f"{coverage['tracks']} people"
    if verdict["media"]["kind"] == "image":
        return f"Seen: {faces}."
    frames = f"{coverage['frames']} of {coverage['of_frames']} frames"
    return f"Seen: {faces} of {people} in {frames}, {coverage['seconds']:.1f} s."
