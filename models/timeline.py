"""A clip's time, read from its packets alone: when its frames are shown, and which of them are worth decoding."""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

SNAP = 0.34  # share of the distance between samples that one may move to lie on a key frame
SPARSE = 4  # frames a wanted one stands for, from which on unreferenced frames may be left out

# Eyelids close for .1 to .4 s, so blinks are counted at 15 glances a second. A minute of them is enough: without a
# blink it is as rare as 1 in 70 among genuine clips. Shorter clips than this tell nothing.
GLANCES_A_SECOND = 15
MOST_SECONDS, FEWEST_SECONDS = 60.0, 10.0
MOST_GLANCES = round(1.1 * GLANCES_A_SECOND * MOST_SECONDS)  # each burst may hold one more than its length says


@dataclass(frozen=True)
class Timeline:
    """Presentation times of the clip's packets in ticks, in order; `keys` are those of key frames.

    `missing` is the share of the promised duration that no packet reaches.
    """

    times: tuple[int, ...]
    keys: tuple[int, ...]
    tick: Fraction
    missing: float = 0.0

    @property
    def duration(self) -> float:
        if len(self.times) < 2:
            return 0.0
        span = self.times[-1] - self.times[0]
        return float((span + span / (len(self.times) - 1)) * self.tick)

    def place(self, time: int | None) -> int:
        """Number of the frame shown at that time."""
        return 0 if time is None else min(bisect_left(self.times, time), len(self.times) - 1)

    def group_holds(self, key: int, wanted: Sequence[int]) -> bool:
        """Whether one of the wanted times lies between this key frame and the next."""
        following = bisect_left(self.keys, key + 1)
        end = self.keys[following] if following < len(self.keys) else self.times[-1] + 1
        first = bisect_left(wanted, key)
        return first < len(wanted) and wanted[first] < end


def samples(timeline: Timeline, count: int) -> list[int]:
    """Ticks to look at, in order: the middles of `count` equal stretches, on a key frame where one is near."""
    times = timeline.times
    if len(times) <= count:
        return list(times)
    start, span = times[0], times[-1] - times[0]
    chosen = []
    for i in range(count):
        middle = start + (i + 0.5) * span / count
        near = _nearest(timeline.keys, middle)
        close = abs(near - middle) <= SNAP * span / count
        chosen.append(near if close else _nearest(times, middle))
    return sorted(set(chosen))


def glances(timeline: Timeline, sampled: Sequence[int]) -> list[int]:
    """Ticks at which eyelids are looked at: at a steady rate after each sample, up to the next, a minute in all."""
    if timeline.duration < FEWEST_SECONDS:
        return []
    times, tick = timeline.times, float(timeline.tick)
    step, burst = 1 / GLANCES_A_SECOND / tick, MOST_SECONDS / len(sampled) / tick
    steady = {_nearest(times, times[0] + n * step) for n in range(int((times[-1] - times[0]) / step) + 1)}
    return [time for time in sorted(steady) if _since(sampled, time) < burst]


def _since(sampled: Sequence[int], time: int) -> float:
    """Ticks from the sample before."""
    place = bisect_right(sampled, time)
    return time - sampled[place - 1] if place else math.inf


def may_skip(timeline: Timeline, wanted: Sequence[int], glancing: bool) -> bool:
    """Whether so few frames are wanted that any reference frame near by will do."""
    a_second = len(timeline.times) / max(timeline.duration, 1.0)
    between = a_second / GLANCES_A_SECOND if glancing else len(timeline.times) / len(wanted)
    return between >= SPARSE


def _nearest(times: Sequence[int], target: float) -> int:
    place = bisect_left(times, target)
    return min(times[max(0, place - 1) : place + 1], key=lambda time: abs(time - target))
