"""What people read outside the pages, on the command line and in reports: the same words as static/words.js says.

test_words.py holds both to each other, and to claiming nothing that nobody knows.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
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
TONES = {  # classes of verdict.css
    "manipulation_likely": "likely",
    "inconclusive": "inconclusive",
    "no_evidence_found": "no-evidence",
    "not_assessable": "not-assessable",
    "disclosed_synthetic": "synthetic",
    "confirmed_manipulated": "likely solid",
    "confirmed_authentic": "authentic",
    "misleading_context": "inconclusive",
    "undecided": "not-assessable",
}
MOST_REASONS = 3
_PEOPLE = ("no person", "one person", "two people", "three people", "four people")
_DETAIL = "The picture has lost the fine detail this check reads"

CREDENTIALS = {
    "unchecked": "Not looked at: whether the file carries a signed statement of its origin (Content Credentials).",
    "absent": "The file carries no signed statement of its origin (Content Credentials). Most carry none.",
    "trusted": "Signed by {}, whom this service trusts (Content Credentials).",
    "valid_unknown_signer": "Signed by {}, whom this service does not know (Content Credentials): anybody can sign so.",
    "invalid": "The file carries Content Credentials that do not fit it: changed after signing, or damaged.",
    "remote_only": "The file names Content Credentials that are kept elsewhere; they were not fetched.",
}
SOURCES = {  # https://cv.iptc.org/newscodes/digitalsourcetype
    "trainedAlgorithmicMedia": "made with AI",
    "compositeWithTrainedAlgorithmicMedia": "partly made with AI",
    "compositeSynthetic": "put together, partly of synthetic material",
    "algorithmicMedia": "drawn by a program",
    "digitalCapture": "taken by a camera",
    "digitalCreation": "made by a person with a program",
    "humanEdits": "edited by a person",
    "compositeCapture": "put together of several shots",
}

Verdict = Mapping[str, Any]  # as GET /api/v1/verdicts shows it


def percent(probability: float) -> int:
    """1-99: never certain, in either direction. Halves go up, as they do in the pages."""
    return min(99, max(1, math.floor(probability * 100 + 0.5)))


def duration(seconds: float) -> str:
    if seconds < 60:
        return f"{seconds:.1f} s"
    whole = math.floor(seconds + 0.5)
    return f"{whole // 60} min {whole % 60} s"


def plural(count: int, one: str, many: str) -> str:
    return f"{count} {one if count == 1 else many}"


def plainly(name: str) -> str:
    """A reason or a state that has no sentence of its own."""
    return name.replace("_", " ")


def sentence(verdict: Verdict) -> str:
    """What stands under the label."""
    said = {
        "manipulation_likely": _likely,
        "no_evidence_found": _always("Looks like untouched material this check knows."),
        "disclosed_synthetic": _always("Who made it says that it was made with AI."),
    }.get(verdict["label"], _other)
    return f"{said(verdict)} {_seen(verdict)}".strip()


def scale(verdict: Verdict) -> str:
    """What the ticks of the confidence bar mean; verdicts of before have none."""
    marks = verdict.get("scale")
    if not marks:
        return ""
    likely = 'with so many people, no score is high enough for "manipulation likely".'
    if marks["likely"] is not None:
        likely = f"above {percent(marks['likely'])}, genuine material hardly ever scores so high."
    return f"Ticks: up to {percent(marks['no_evidence'])}, manipulated material hardly ever scores so low; {likely}"


def rates(measured: Mapping[str, Any]) -> str:
    """How often the labels err, as models/rates.py counts it."""
    told = (
        f"Of the {measured['genuine']:,} genuine items it was calibrated on ({measured['dataset']}), "
        f'{_per_cent(measured["genuine_flagged"])} would be called "manipulation likely", wrongly.'
    )
    for made in measured["manipulated"]:
        told += (
            f" Of {made['items']:,} manipulated ones ({plainly(made['kind'])}), {_per_cent(made['flagged'])} would be "
            f"found so, and of {_per_cent(made['cleared'])} it would be said, wrongly, that there is no sign of "
            "manipulation."
        )
    return f"{told} Material from elsewhere is harder: the cards say how much."


def reasons(verdict: Verdict) -> list[str]:
    """At most three, strongest first, each with what it means and what to do."""
    names = verdict["reasons"][:MOST_REASONS]
    return [REASONS[name](verdict) if name in REASONS else plainly(name) for name in names]


def origin(verdict: Verdict) -> list[str]:
    """What the file says of where it comes from; verdicts of before know less."""
    told = verdict.get("provenance") or {}
    state = told.get("c2pa", "unchecked")
    signer = " with ".join(filter(None, (told.get("signer") or "somebody without a name", told.get("generator"))))
    said = [CREDENTIALS[state].format(signer) if state in CREDENTIALS else plainly(state)]
    types = told.get("source_types") or ()
    if types and state in ("trusted", "valid_unknown_signer"):
        weighs = "" if state == "trusted" or not told["declares_ai"] else " The label does not rest on it."
        said.append(f"The signer states: {', '.join(SOURCES.get(name, name) for name in types)}.{weighs}")
    marks = [f"{SOURCES.get(mark['says'], mark['says'])} ({mark['where']})" for mark in told.get("marks") or ()]
    if marks:
        said.append(f"Unsigned marks in the file, which anybody can write or remove: {', '.join(marks)}.")
    return said


def match(verdict: Verdict) -> str:
    """What it looks like; empty where nothing known does."""
    found = verdict.get("match")
    if not found:
        return ""
    kind = "picture" if verdict["media"]["kind"] == "image" else "clip"
    return (
        f"Looks much like another {kind}, checked on {found['checked_at'][:10]}: {LABELS[found['label']]}. "
        "A face can be swapped with no more difference than this, so that label says nothing of this one."
    )


def _per_cent(share: float) -> str:
    return f"{100 * share:.1f} %"


def _likely(verdict: Verdict) -> str:
    interval = verdict["interval"]
    between = f" ({percent(interval[0])}-{percent(interval[1])})" if interval else ""
    half = abs(verdict["prior"] - 0.5) < 0.005
    prior = "half the material is" if half else f"{percent(verdict['prior'])} in 100 are"
    share = percent(verdict["probability"])
    return f"Of material that scores like this, {share} in 100 was manipulated{between}, where {prior}."


def _other(verdict: Verdict) -> str:
    return "A reviewer has looked at it." if verdict["basis"] == "human" else "Not enough to say."


def _seen(verdict: Verdict) -> str:
    coverage, media = verdict["coverage"], verdict["media"]
    tracks, frames = coverage["tracks"], coverage["frames"]
    if not coverage["faces"]:
        return ""
    people = _PEOPLE[tracks] if tracks < len(_PEOPLE) else f"{tracks} people"
    who = f"{plural(coverage['faces'], 'face', 'faces')} of {people}"
    if media["kind"] == "image":
        return f"Seen: {who} in a picture of {media['width']} × {media['height']} pixels."
    return (
        f"Seen: {who} in {frames} of {plural(coverage['of_frames'], 'frame', 'frames')}, {duration(media['duration'])}."
    )


def _disagree(verdict: Verdict) -> str:
    scored = sorted((d for d in verdict["detectors"] if d["score"] is not None), key=lambda d: -d["score"])
    said = ", ".join(f"{d['name']} {d['score']:.2f}" for d in scored)
    return f"The methods disagree: {said}. A reviewer should look."


def _too_small(verdict: Verdict) -> str:
    told = "Most of the faces seen are" if verdict["segments"] else "The face is"
    return f"{told} less than 80 pixels at the longer side: too small for more than a guess."


def _partly(verdict: Verdict) -> str:
    looked_at, whole = verdict["coverage"]["seconds"], verdict["media"]["duration"]
    if looked_at < whole:
        return f"Only the first {duration(looked_at)} of {duration(whole)} were looked at."
    return "A part of it is missing or cannot be read; the rest was looked at. Send the whole file for more."


def _always(text: str) -> Callable[[Verdict], str]:
    return lambda _: text


_UNLIKE = _always("This does not look like the photographs the methods know.")
REASONS: dict[str, Callable[[Verdict], str]] = {
    "no_face": _always("No face was found, and this check looks at faces. Try a moment where the face is visible."),
    "face_too_small": _too_small,
    "heavy_compression": _always(f"{_DETAIL} (strong compression). An earlier copy may tell more."),
    "low_resolution": _always(f"{_DETAIL} (low resolution). A larger copy may tell more."),
    "blurred": _always(f"{_DETAIL} (blur). A sharper moment may tell more."),
    "too_short": _always("The clip is too short for the blink check (10 s are needed)."),
    "too_few_frames": _always("Too few frames show a face. A longer part of the clip may tell more."),
    "occluded_or_profile": _always("The face is covered or turned away. Try a moment where it looks this way."),
    "detectors_disagree": _disagree,
    "partial_coverage": _partly,
    "canvas_capture": _always("Seen through your browser, not the original file: certainty is capped."),
    "out_of_distribution": _UNLIKE,
    "animation_or_art": _UNLIKE,
    "not_calibrated": _always("No calibrated method could judge it: the scores below are shown, and decide nothing."),
    "detector_failed": _always("One of the methods failed; the others decided. Checking again may help."),
}
