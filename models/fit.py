"""Fit a calibration: scores of items no detector was trained on -> Calibration. numpy only."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models import ensemble
from models.calibrate import Calibration, Platt
from models.errors import CalibrationError
from models.evaluate.metrics import draws_of_groups
from models.hypotheses import ALL, FACE_SWAP

REFITS = 200
FEWEST_REALS = 99  # below, no p-value reaches .01
FEWEST_CLIPS = 200  # genuine ones
FOLDS = 5
CROSS_FITTED = 1000  # genuine items under which scores come from scales that were fitted without their group
FLATTEST = 0.01  # a slope at or under 0 would turn a detector around; at this one it says next to nothing
RIDGE = 1e-3
OUTERMOST = 0.01
LEAST_CAP = 0.1

Reals = NDArray[np.float64]
Flags = NDArray[np.bool_]
Indices = NDArray[np.int64]
Digests = Mapping[str, str]  # detector -> sha256 of its weights


@dataclass(frozen=True)
class Labels:
    prior: float = 0.5
    likely_p: float = 0.01
    no_evidence_quantile: float = 0.05
    low_band: float = 0.35
    high_band: float = 0.65


def fit(
    scores: Mapping[str, Sequence[float]],
    made: Sequence[str],
    groups: Sequence[str],
    *,
    id: str,
    dataset: str,
    hypotheses: Mapping[str, str] | None = None,
    labels: Labels | None = None,
    weights: Mapping[str, str] | None = None,
    seed: int = 0,
) -> Calibration:
    """`scores`: detector -> p_fake of every item, NaN where it abstained. `made`: what is wrong with each item, "" of
    a genuine one (models/hypotheses.py). `hypotheses`: what each detector speaks for, else swaps. `weights`: sha256 of
    the file that scored. Detectors of a hypothesis without items stay out: nothing says how far to trust them.
    """
    truth = np.asarray(made, np.str_)
    speak = {name: (hypotheses or {}).get(name, FACE_SWAP) for name in scores}
    judged = {name: p for name, p in scores.items() if speak[name] in truth}
    if (truth == "").sum() < FEWEST_REALS or not judged:
        raise CalibrationError(f"Calibration needs {FEWEST_REALS} genuine items and some manipulated ones.")
    labels = labels or Labels()
    draws = draws_of_groups(groups, REFITS, seed)
    detectors, sums = dict[str, Platt](), dict[str, Reals]()
    for hypothesis in (h for h in ALL if h in {speak[name] for name in judged}):
        own = {name: _logits(p) for name, p in judged.items() if speak[name] == hypothesis}
        scales = _scales(own, hypothesis, truth, draws, weights or {})
        detectors |= scales
        sums[hypothesis] = _sums(own, scales)
        if (truth == "").sum() < CROSS_FITTED:
            sums[hypothesis] = _out_of_fold(own, hypothesis, truth, groups, sums[hypothesis])
    return Calibration(
        id=id,
        dataset=dataset,
        prior=labels.prior,
        likely_p=labels.likely_p,
        no_evidence_quantile=labels.no_evidence_quantile,
        low_band=labels.low_band,
        high_band=labels.high_band,
        detectors=detectors,
        real=_ascending(_stronger(sums, detectors)[truth == ""]),
        fake={hypothesis: _ascending(total[truth == hypothesis]) for hypothesis, total in sums.items()},
    )


def _scales(
    logits: Mapping[str, Reals], hypothesis: str, truth: NDArray[np.str_], draws: Sequence[Indices], weights: Digests
) -> dict[str, Platt]:
    """Of the detectors of one hypothesis, on the genuine items and those that it is true of."""
    among, flags = (truth == "") | (truth == hypothesis), truth == hypothesis
    lines = {name: platt(x[among], flags[among]) for name, x in logits.items()}
    ratios = {name: (slope * logits[name] + intercept)[among] for name, (slope, intercept) in lines.items()}
    shares = _weights(ratios, flags[among])
    drawn = [chosen[among[chosen]] for chosen in draws]
    return {
        name: Platt(
            slope,
            intercept,
            shares[name],
            _cap(logits[name][among], flags[among]),
            tuple(platt(logits[name][chosen], flags[chosen]) for chosen in drawn),
            weights.get(name, ""),
            hypothesis,
        )
        for name, (slope, intercept) in lines.items()
    }


def _sums(logits: Mapping[str, Reals], scales: Mapping[str, Platt]) -> Reals:
    """NaN where nobody scored."""
    ratios = np.array(
        [[ensemble.ratio(ensemble.sigmoid(v), scales[name]) for v in x.tolist()] for name, x in logits.items()]
    )
    return np.where(np.isnan(ratios).all(axis=0), np.nan, np.nansum(ratios, axis=0))


def _out_of_fold(
    logits: Mapping[str, Reals], hypothesis: str, truth: NDArray[np.str_], groups: Sequence[str], sums: Reals
) -> Reals:
    """The sums of each fifth of the groups by scales of the other four: few items, fitted on, flatter themselves."""
    fold = np.array([hashlib.sha256(group.encode()).digest()[0] % FOLDS for group in groups])
    found = sums.copy()
    for held_out in range(FOLDS):
        rest = fold != held_out
        if not {"", hypothesis} <= set(truth[rest].tolist()):
            return sums  # one group holds a whole class
        known = {name: x[rest] for name, x in logits.items()}
        scales = _scales(known, hypothesis, truth[rest], (), {})
        found[~rest] = _sums({name: x[~rest] for name, x in logits.items()}, scales)
    return found


def _stronger(sums: Mapping[str, Reals], detectors: Mapping[str, Platt]) -> Reals:
    """As a verdict takes it: a hypothesis for which nobody has a say is not judged (models/ensemble.py)."""
    heard = {platt.hypothesis for platt in detectors.values() if platt.weight > 0}
    return np.asarray(np.fmax.reduce([total for name, total in sums.items() if name in heard or not heard]))


def _ascending(values: Reals) -> tuple[float, ...]:
    return tuple(np.sort(values[~np.isnan(values)]).tolist())


def platt(logits: Reals, fake: Flags) -> tuple[float, float]:
    """Slope and intercept of a logistic fit in which both classes weigh the same, so the result is a ratio."""
    usable = ~np.isnan(logits)
    x, y = logits[usable], fake[usable].astype(np.float64)
    fakes = y.sum()
    if fakes in (0, len(y)):
        return FLATTEST, 0.0
    importance = np.where(y == 1, 0.5 / fakes, 0.5 / (len(y) - fakes))
    slope, intercept = _logistic(np.stack([x, np.ones_like(x)], axis=1), y, importance)
    return (float(slope), float(intercept)) if slope > FLATTEST else (FLATTEST, 0.0)


def _cap(logits: Reals, fake: Flags) -> float:
    """The largest ratio the calibration items themselves show: in the outermost hundredth of either class.

    Platt's line goes on for ever; what a detector is worth there has to have been seen.
    """
    real, fakes = logits[~fake & ~np.isnan(logits)], logits[fake & ~np.isnan(logits)]
    if not len(real) or not len(fakes):
        return LEAST_CAP
    above = (fakes > np.quantile(real, 1 - OUTERMOST)).mean() / OUTERMOST
    below = (real < np.quantile(fakes, OUTERMOST)).mean() / OUTERMOST
    return max(math.log(max(above, below, 1.0)), LEAST_CAP)


def _weights(ratios: Mapping[str, Reals], fake: Flags) -> dict[str, float]:
    """How much of each detector's ratio counts when all are added: two that say the same share one vote."""
    x = np.nan_to_num(np.stack(list(ratios.values()), axis=1))
    y = fake.astype(np.float64)
    importance = np.where(fake, 0.5 / fake.sum(), 0.5 / (~fake).sum())
    shares = np.clip(_logistic(x, y, importance), 0.0, 1.0)
    return dict(zip(ratios, shares.tolist(), strict=True))


def _logistic(x: Reals, y: Reals, importance: Reals, steps: int = 30) -> Reals:
    """Newton's method with a small ridge, which keeps separable draws finite."""
    w = np.zeros(x.shape[1])
    for _ in range(steps):
        p = 1 / (1 + np.exp(-np.clip(x @ w, -30, 30)))
        gradient = x.T @ (importance * (p - y)) + RIDGE * w
        curvature = (x * (importance * p * (1 - p))[:, None]).T @ x + RIDGE * np.eye(x.shape[1])
        step = np.linalg.solve(curvature, gradient)
        w = w - step
        if np.abs(step).max() < 1e-9:
            break
    return np.asarray(w, np.float64)


def _logits(values: Sequence[float]) -> Reals:
    return np.array([np.nan if math.isnan(p) else ensemble.logit(p) for p in values])
