"""Plots as numbers: where points, ticks and shades lie, in per cent of the plot, so that a template only writes them.

Per cent, because text must keep its size when a plot becomes as narrow as a phone.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby, pairwise
from statistics import median

MOST_TICKS = 6
LEAST = 1e-3  # of an axis: below, it is a point
LONG_GAP = 2.5  # times the usual distance of two points: a line across it would show what nobody saw

Moments = Sequence[tuple[float, float]]  # (seconds, value), in order of time
Stretches = Sequence[tuple[float, float]]  # (from, to), seconds


@dataclass(frozen=True)
class Point:
    x: float
    y: float
    t: float
    value: float


@dataclass(frozen=True)
class Tick:
    at: float
    words: str


@dataclass(frozen=True)
class Plot:
    points: tuple[Point, ...]
    lines: tuple[str, ...]  # of an SVG polyline each; y grows downwards
    x_ticks: tuple[Tick, ...]
    y_ticks: tuple[Tick, ...]
    shades: tuple[tuple[float, float], ...]  # left edge, width
    level: float | None  # where a threshold lies
    limits: tuple[str, ...]  # polylines of a threshold that changes


def plot(
    moments: Moments, seconds: float, top: float, shades: Stretches = (), level: float | None = None,
    limit: Moments = (),
) -> Plot:  # fmt: skip
    """Time from 0 to `seconds`, values from 0 to `top`; what lies outside is drawn at the edge."""
    pieces, limits = (
        [
            [Point(_share(t, seconds), 100 - _share(value, top), t, value) for t, value in piece]
            for piece in unbroken(some)
        ]
        for some in (moments, limit)
    )
    return Plot(
        points=tuple(point for piece in pieces for point in piece),
        lines=_polylines(pieces),
        x_ticks=tuple(Tick(_share(at, seconds), f"{at:g}") for at in round_steps(seconds)),
        y_ticks=tuple(Tick(100 - _share(at, top), f"{at:g}") for at in round_steps(top)),
        shades=tuple((_share(start, seconds), _share(end, seconds) - _share(start, seconds)) for start, end in shades),
        level=None if level is None else 100 - _share(level, top),
        limits=_polylines(limits),
    )


def _polylines(pieces: Sequence[Sequence[Point]]) -> tuple[str, ...]:
    return tuple(" ".join(f"{point.x:.2f},{point.y:.2f}" for point in piece) for piece in pieces if piece)


def round_steps(end: float, most: int = MOST_TICKS) -> list[float]:
    """0 and multiples of 1, 2 or 5 times a power of ten, up to `end`."""
    if end < LEAST:
        return [0.0]
    rough = end / (most - 1)
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(power * factor for factor in (1, 2, 5, 10) if power * factor >= rough * (1 - 1e-9))
    return [round(n * step, 10) for n in range(math.floor(end / step + 1e-9) + 1)]


def stretches(moments: Moments, least: float) -> list[tuple[float, float, float]]:
    """(from, to, peak) of each run of moments whose value is at least `least`; none reaches across a gap."""
    pieces = unbroken(moments)
    runs = [list(run) for piece in pieces for high, run in groupby(piece, lambda moment: moment[1] >= least) if high]
    return [(run[0][0], run[-1][0], max(value for _, value in run)) for run in runs]


def unbroken(moments: Moments) -> list[list[tuple[float, float]]]:
    """The moments in pieces, parted where nothing was seen for long."""
    usual = median([after[0] - before[0] for before, after in pairwise(moments)] or [0.0])
    pieces = [list(moments[:1])]
    for before, after in pairwise(moments):
        if after[0] - before[0] > LONG_GAP * usual:
            pieces.append([])
        pieces[-1].append(after)
    return pieces


def _share(value: float, whole: float) -> float:
    return round(100 * min(1.0, max(0.0, value / whole)), 3) if whole >= LEAST else 0.0
