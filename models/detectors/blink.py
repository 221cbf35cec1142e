"""Blink: how often a person blinks, against published rates. It sees faces only where decoding took glances."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from models import blinks, ensemble
from models.timeline import FEWEST_SECONDS, GLANCES_A_SECOND
from models.types import Abstained, Context, Face, Score

FEWEST_GLANCES = 0.9 * GLANCES_A_SECOND  # a second, on average: rates of 24 and 25 frames are not multiples of it
MOST_POINTS = 450  # of the curve, half a minute in full: 8 kB of JSON


class Blink:
    version = "1.0"

    def __init__(self, name: str) -> None:
        self.name = name

    def score(self, faces: Sequence[Face], context: Context) -> Score | Abstained:
        if context.info.kind == "image":
            return Abstained("not_a_clip")
        if context.info.duration < FEWEST_SECONDS:
            return Abstained("too_short")
        seen = blinks.watched([lid for face in faces for lid in face.lids])
        if seen.exposure < FEWEST_SECONDS:
            return Abstained("eyes_seen_too_briefly" if faces else "no_face")
        if seen.glances < FEWEST_GLANCES:
            return Abstained("too_few_frames")
        if not seen.clear:
            return Abstained("eyes_not_clear")
        p = blinks.p_value(len(seen.blinks), seen.exposure)
        return Score(ensemble.sigmoid(blinks.log_ratio(p)), note=_note(seen, p), detail=_detail(seen, p))


def load(name: str, threads: int) -> Blink:
    return Blink(name)


def _note(seen: blinks.Watched, p: float) -> str:
    count = len(seen.blinks)
    times = "no blink" if not count else "1 blink" if count == 1 else f"{count} blinks"
    return f"{times} in {seen.exposure:.0f} s of eyes in view; {p:.0%} of genuine people blink as unusually or more so"


def _detail(seen: blinks.Watched, p: float) -> dict[str, Any]:
    """A gap in `t` is where the eyes were out of view."""
    # Of each stretch its lowest ratio: a blink is two or three points wide.
    pieces = np.array_split(np.arange(len(seen.t)), min(MOST_POINTS, len(seen.t)))
    shown = [int(piece[seen.ratio[piece].argmin()]) for piece in pieces]
    return {
        "curve": {
            "t": seen.t[shown].round(2).tolist(),
            "ear": seen.ratio[shown].round(3).tolist(),
            "threshold": seen.limit[shown].round(3).tolist(),
        },
        "blinks": [[round(start, 2), round(end, 2)] for start, end in seen.blinks],
        "per_minute": round(seen.per_minute, 1),
        "exposure_seconds": round(seen.exposure, 1),
        "p_value": round(p, 4),
    }
