"""A verdict of a clip with two people, as the API shows it, and pictures for it."""

from __future__ import annotations

from typing import Any

JPEG = b"\xff\xd8\xff\xe0 not a picture \xff\xd9"


def face(t: float, score: float, **other: Any) -> dict[str, Any]:
    shown = {"t": t, "box": [10, 20, 30, 40], "score": score, "face": f"face-{t}", "heatmap": None}
    return {**shown, "frame": f"frame-{t}", "frame_size": [640, 360], **other}


def detector(name: str, **other: Any) -> dict[str, Any]:
    row = {"name": name, "version": "1", "band": "high", "score": 0.95, "weight": 0.6, "ms": 310, "reason": None}
    return {**row, "evidence": None, "contribution": 1.5, **other}


def clip(**other: Any) -> dict[str, Any]:
    made = {
        "label": "manipulation_likely", "basis": "ensemble", "kinds": ["face_swap"], "probability": 0.881,
        "interval": [0.82, 0.96], "prior": 0.5, "calibration": "2026-11-20", "reasons": ["detectors_disagree"],
        "scale": {"likely": 0.87, "no_evidence": 0.12, "low": 0.35, "high": 0.65},
        "media": {"sha256": "ab" * 32, "kind": "video", "duration": 12.0, "width": 640, "height": 360},
        "coverage": {
            "frames": 4, "of_frames": 360, "faces": 6, "tracks": 2, "seconds": 12.0, "acquisition": "upload",
        },
        "detectors": [
            detector("meso4", score=0.2, band="low", contribution=-0.5, evidence="asked for 20 frames"),
            detector("blend", contribution=2.5),
            detector("sequence", score=None, band="abstained", weight=0.0, contribution=0.0, reason="too_few_frames"),
        ],
        "segments": [
            {"start": 0.0, "end": 9.0, "track": 1, "score": 0.3, "frames": [face(3.0, 0.4)],
             "timeline": [{"t": 0.0, "score": 0.1}, {"t": 3.0, "score": 0.4}, {"t": 9.0, "score": 0.2}]},
            {"start": 0.0, "end": 6.0, "track": 0, "score": 0.88,
             "frames": [face(6.0, 0.9, heatmap="heat-6.0"), face(3.0, 0.7, box=[300, 20, 30, 40])],
             "timeline": [{"t": 0.0, "score": 0.1}, {"t": 3.0, "score": 0.7}, {"t": 6.0, "score": 0.9}]},
        ],
        "forensics": [], "provenance": {"c2pa": "unchecked", "generator": None}, "pipeline": "p3-1",
    }  # fmt: skip
    return {**made, **other}


def picture(**other: Any) -> dict[str, Any]:
    media = {"sha256": "cd" * 32, "kind": "image", "duration": 0.0, "width": 640, "height": 480}
    segments = [{"start": 0.0, "end": 0.0, "track": 0, "score": 0.9, "frames": [face(0.0, 0.9)],
                 "timeline": [{"t": 0.0, "score": 0.9}]}]  # fmt: skip
    return clip(**{"media": media, "segments": segments, **other})


def blinking() -> dict[str, Any]:
    detail = {
        "curve": {"t": [0.0, 0.1, 0.2, 0.3], "ear": [0.3, 0.1, 0.12, 0.31], "threshold": [0.2] * 4},
        "blinks": [[0.1, 0.2]], "per_minute": 5.0, "exposure_seconds": 12.0, "p_value": 0.04,
    }  # fmt: skip
    return clip(detectors=[detector("blink", detail=detail)])
