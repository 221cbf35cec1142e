"""What each part of a report shows, taken from the verdict: rows, plots and lists, no markup."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from server import words
from server.report.charts import Moments, Plot, plot, stretches

Verdict = Mapping[str, Any]


@dataclass(frozen=True)
class Person:
    number: int
    score: float
    start: float
    end: float
    faces: Sequence[Mapping[str, Any]]  # highest score first
    moments: Moments
    suspicious: Sequence[tuple[float, float, float]]
    plot: Plot | None  # of a clip


@dataclass(frozen=True)
class Method:
    name: str
    title: str
    says: str
    score: float | None
    weight: float
    contribution: float
    reach: float  # of the contribution's bar, -50 to 50
    ms: int
    remarks: str


@dataclass(frozen=True)
class Blink:
    plot: Plot
    moments: Moments
    blinks: Sequence[tuple[float, float]]
    told: str


def people(verdict: Verdict) -> list[Person]:
    """The person who scores highest first."""
    high = (verdict.get("scale") or {}).get("high")
    return [_person(segment, verdict, high) for segment in sorted(verdict["segments"], key=lambda s: -s["score"])]


def _person(segment: Mapping[str, Any], verdict: Verdict, high: float | None) -> Person:
    told = segment.get("timeline") or segment["frames"]  # verdicts of before have no timeline
    moments = sorted((moment["t"], moment["score"]) for moment in told)
    runs = [] if high is None else stretches(moments, high)
    seconds = max([verdict["media"]["duration"], *(t for t, _ in moments)])
    drawn = plot(moments, seconds, 1.0, [(start, end) for start, end, _ in runs], high)
    video = verdict["media"]["kind"] == "video" and bool(moments)
    return Person(
        segment["track"] + 1, segment["score"], segment["start"], segment["end"], segment["frames"], moments, runs,
        drawn if video else None,
    )  # fmt: skip


def strips(verdict: Verdict) -> list[tuple[str, list[Mapping[str, Any]]]]:
    """(whose, faces): of a clip one strip a person, of a picture all people in one."""
    shown = [(f"Person {person.number}", list(person.faces)) for person in people(verdict) if person.faces]
    if verdict["media"]["kind"] == "video":
        return shown
    return [("", [{**face, "whose": whose} for whose, faces in shown for face in faces])] if shown else []


def frames(verdict: Verdict) -> list[dict[str, Any]]:
    """Whole frames, the highest-scoring first, each once with the boxes of all faces that are shown of it."""
    faces = [face for segment in verdict["segments"] for face in segment["frames"] if face.get("frame")]
    found: dict[str, dict[str, Any]] = {}
    for face in sorted(faces, key=lambda face: -face["score"]):
        frame = found.setdefault(face["frame"], {**face, "size": face["frame_size"], "faces": []})
        frame["faces"].append(face)
    return list(found.values())


def methods(verdict: Verdict, catalogue: Sequence[Mapping[str, Any]]) -> list[Method]:
    titles = {entry["name"]: entry.get("title") or entry["name"] for entry in catalogue}
    widest = max((abs(_adds(detector)) for detector in verdict["detectors"]), default=0.0) or 1.0
    return [_method(detector, titles, widest) for detector in verdict["detectors"]]


def _method(detector: Mapping[str, Any], titles: Mapping[str, str], widest: float) -> Method:
    remarks = [words.plainly(detector["reason"] or ""), detector.get("evidence") or ""]
    name, adds = detector["name"], _adds(detector)
    return Method(
        name, titles.get(name, name), detector["band"], detector["score"], detector["weight"], adds,
        round(50 * adds / widest, 2), detector["ms"], "; ".join(filter(None, remarks)),
    )  # fmt: skip


def log_odds(verdict: Verdict) -> dict[str, float] | None:
    """The starting point and the sum that the contributions lead to; None where there is no probability."""
    if verdict["probability"] is None:
        return None
    start = math.log(verdict["prior"] / (1 - verdict["prior"]))
    return {"start": start, "sum": start + sum(_adds(detector) for detector in verdict["detectors"])}


def _adds(detector: Mapping[str, Any]) -> float:
    return float(detector.get("contribution") or 0.0)


def blink(verdict: Verdict) -> Blink | None:
    """How far the eyes are open over time, where the blink check has drawn it."""
    details = [detector.get("detail") or {} for detector in verdict["detectors"] if detector["name"] == "blink"]
    detail = next((detail for detail in details if (detail.get("curve") or {}).get("t")), None)
    if detail is None:
        return None
    curve = detail["curve"]
    moments = list(zip(curve["t"], curve["ear"], strict=True))
    blinks = [(start, end) for start, end in detail.get("blinks", ())]
    top = max([0.4, *(value for _, value in moments)])
    limit = list(zip(curve["t"], curve["threshold"], strict=True))
    drawn = plot(moments, max(verdict["media"]["duration"], moments[-1][0]), top, blinks, limit=limit)
    return Blink(drawn, moments, blinks, _blinking(detail, len(blinks)))


def _blinking(detail: Mapping[str, Any], count: int) -> str:
    told = words.plural(count, "blink", "blinks")
    if detail.get("exposure_seconds") is not None:
        told += f" in {words.duration(detail['exposure_seconds'])} in which the eyes could be seen"
    if detail.get("per_minute") is not None:
        told += f", {detail['per_minute']:.1f} a minute"
    if detail.get("p_value") is not None:
        told += f". A number at least as unusual: {words.percent(detail['p_value'])} in 100 genuine people"
    return f"{told}."


def facts(verdict: Verdict) -> list[tuple[str, str]]:
    media, coverage = verdict["media"], verdict["coverage"]
    video = media["kind"] == "video"
    looked = f"{coverage['frames']} of {words.plural(coverage['of_frames'], 'frame', 'frames')}"
    if video:
        looked += f", over {words.duration(coverage['seconds'])}"
    told = [
        ("Media", f"{media['kind']}, {media['width']} × {media['height']} pixels"),
        ("Length", words.duration(media["duration"]) if video else ""),
        ("sha256", media["sha256"]),
        ("Looked at", looked),
        ("Faces judged", f"{coverage['faces']}, of {words.plural(coverage['tracks'], 'person', 'people')}"),
        ("How it came here", words.plainly(coverage["acquisition"])),
        ("Kinds found", ", ".join(words.plainly(kind) for kind in verdict["kinds"])),
        ("All reasons", ", ".join(words.plainly(reason) for reason in verdict["reasons"])),
        ("Calibration", verdict["calibration"]),
        ("Pipeline", verdict["pipeline"]),
        ("Verdict", verdict.get("id", "")),
    ]
    return [(name, value) for name, value in told if value]
