"""Detectors' scores to one calibrated probability. Pure functions: no file, no clock, no library.

Each detector's score becomes a log-likelihood ratio; shrunk and capped, those of one hypothesis add up. One that
abstained or failed adds nothing, so it moves the sum neither way. A track is its stronger hypothesis, which the other
can never vote down, and the media is its highest track.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from models.calibrate import Calibration, Platt
from models.types import Band, Scale

NEAREST = 1e-6  # scores this close to 0 and 1 are as far as a logit goes
INTERVAL = (0.05, 0.95)  # of the refits

Scores = Mapping[str, float | None]  # detector -> p_fake of a track, None when it has none


@dataclass(frozen=True)
class Combined:
    """One track's evidence, or the media's. `hypothesis` is the stronger one, of which all figures are but the last:
    "no evidence" has to hold for every hypothesis, so `fake_quantile` is the highest of them.
    """

    hypothesis: str
    ratio: float  # sum of log-likelihood ratios
    probability: float
    interval: tuple[float, float]
    p_value: float
    fake_quantile: float


def logit(p: float) -> float:
    p = min(max(p, NEAREST), 1 - NEAREST)
    return math.log(p / (1 - p))


def sigmoid(x: float) -> float:
    return 1 / (1 + math.exp(-x)) if x >= 0 else math.exp(x) / (1 + math.exp(x))


def ratio(p_fake: float, platt: Platt, refit: tuple[float, float] | None = None) -> float:
    """One detector's log-likelihood ratio, shrunk by its weight and capped."""
    slope, intercept = refit or (platt.slope, platt.intercept)
    return _capped(platt.weight * (slope * logit(p_fake) + intercept), platt.cap)


def calibrated(p_fake: float, platt: Platt, prior: float) -> float:
    """What one detector alone says, as a probability."""
    return sigmoid(_capped(platt.slope * logit(p_fake) + platt.intercept, platt.cap) + logit(prior))


def combine(scores: Scores, calibration: Calibration, tracks: int = 1) -> Combined | None:
    """The evidence of one track among `tracks`; None when no calibrated detector with a say scored it."""
    judged = [sum_ for name in calibration.fake if (sum_ := _judged(name, scores, calibration))]
    if not judged:
        return None
    stronger = max(judged, key=lambda sum_: sum_.ratio)
    odds = logit(calibration.prior)
    probability = sigmoid(stronger.ratio + odds)
    low, high = (sigmoid(edge + odds) for edge in stronger.interval)
    return Combined(
        hypothesis=stronger.hypothesis,
        ratio=stronger.ratio,
        probability=probability,
        interval=(min(low, probability), max(high, probability)),
        p_value=calibration.p_value(stronger.ratio, tracks),
        fake_quantile=max(calibration.fake_quantile(sum_.ratio, sum_.hypothesis) for sum_ in judged),
    )


def highest(tracks: Sequence[Combined | None]) -> int | None:
    """Which track speaks for the media; None when none could be judged."""
    judged = [i for i, track in enumerate(tracks) if track is not None]
    return max(judged, key=lambda i: (tracks[i] or _NOTHING).ratio, default=None)


def band(probability: float, calibration: Calibration) -> Band:
    if probability >= calibration.high_band:
        return "high"
    return "low" if probability <= calibration.low_band else "uncertain"


def scale(calibration: Calibration, tracks: int, hypothesis: str) -> Scale:
    """The calibrated rules as marks on the scale of the probability, for media with so many people."""
    odds = logit(calibration.prior)
    likely = calibration.likely_above(tracks)
    return Scale(
        likely=None if likely is None else sigmoid(likely + odds),
        no_evidence=sigmoid(calibration.no_evidence_up_to(hypothesis) + odds),
        low=calibration.low_band,
        high=calibration.high_band,
    )


def disagree(bands: Sequence[Band]) -> bool:
    return "high" in bands and "low" in bands


def _capped(ratio: float, cap: float) -> float:
    """Approaches the cap and never reaches it: a hard one would tie the loudest items, and p-values with them."""
    return cap * math.tanh(ratio / cap)


@dataclass(frozen=True)
class _Sum:
    """What the detectors of one hypothesis say together; `interval` is that of the refits."""

    hypothesis: str
    ratio: float
    interval: tuple[float, float]


def _judged(hypothesis: str, scores: Scores, calibration: Calibration) -> _Sum | None:
    """None where nobody with a weight has spoken for it: silence is no evidence for it, and none against."""
    said = [
        (p, platt)
        for name, platt in calibration.detectors.items()
        if platt.hypothesis == hypothesis and platt.weight > 0 and (p := scores.get(name)) is not None
    ]
    if not said:
        return None
    # fsum: the order in which detectors are listed must not move the last digit
    total = math.fsum(ratio(p, platt) for p, platt in said)
    refits = min(len(platt.refits) for _, platt in said)
    spread = sorted(math.fsum(ratio(p, platt, platt.refits[i]) for p, platt in said) for i in range(refits)) or [total]
    low, high = (spread[round(q * (len(spread) - 1))] for q in INTERVAL)
    return _Sum(hypothesis, total, (low, high))


_NOTHING = Combined("", -math.inf, 0.0, (0.0, 0.0), 1.0, 0.0)
