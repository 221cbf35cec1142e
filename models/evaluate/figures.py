"""How well one scorer - a detector alone, or all in one vote - did on some items: every number of a report's row.

Shares are between 0 and 1. What cannot be measured (no fakes, nothing judged) is None, never 0.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import partial
from typing import Any

import numpy as np

from models.evaluate import metrics
from models.evaluate.metrics import Flags, Measured, Reals

# The words of a verdict; a detector's band says the same of it alone.
FLAGGED, INCONCLUSIVE, CLEAR, NOT_ASSESSABLE = OUTCOMES = (
    "manipulation_likely", "inconclusive", "no_evidence_found", "not_assessable",
)  # fmt: skip
BANDS = {
    "high": FLAGGED,
    "uncertain": INCONCLUSIVE,
    "low": CLEAR,
    "abstained": NOT_ASSESSABLE,
    "failed": NOT_ASSESSABLE,
}

RATES = (0.001, 0.01, 0.05)
PREVALENCE = 0.01
HALF = 0.5  # where accuracy, precision and recall are taken
STRETCHES = 20  # of the histograms
MOST_POINTS = 100  # of a ROC


@dataclass(frozen=True)
class Scored:
    """Parallel to each other; `scores` is NaN where nothing was said."""

    scores: Reals
    outcomes: Sequence[str]
    fake: Flags
    groups: Sequence[str]
    seconds: Reals

    def only(self, some: Flags) -> Scored:
        rows = np.flatnonzero(some).tolist()
        return Scored(
            self.scores[some],
            [self.outcomes[row] for row in rows],
            self.fake[some],
            [self.groups[row] for row in rows],
            self.seconds[some],
        )

    @property
    def judged(self) -> Scored:
        return self.only(~np.isnan(self.scores))


def figures(scored: Scored) -> dict[str, Any]:
    judged = scored.judged
    outcomes = Counter(scored.outcomes)
    items = len(scored.fake)
    found, alarms = (_flagged(scored, fake) for fake in (True, False))
    return {
        "reals": int((~scored.fake).sum()),
        "fakes": int(scored.fake.sum()),
        "judged_reals": int((~judged.fake).sum()),
        "judged_fakes": int(judged.fake.sum()),
        **_ranking(judged),
        **_at_half(judged),
        **_calibration(judged),
        "outcomes": {name: outcomes[name] for name in OUTCOMES},
        "inconclusive": outcomes[INCONCLUSIVE] / items if items else None,
        "not_assessable": outcomes[NOT_ASSESSABLE] / items if items else None,
        "flagged_genuine": alarms,
        "flagged_manipulated": found,
        "precision_at_1_percent": _precision(found, alarms),
        "seconds": float(scored.seconds.mean()) if items else None,
    }


def _ranking(judged: Scored) -> dict[str, Any]:
    wanted = {"auc": metrics.auc, "eer": metrics.equal_error_rate}
    wanted |= {f"tpr_at_fpr_{rate}": partial(metrics.tpr_at_fpr, fpr=rate) for rate in RATES}
    if judged.fake.all() or not judged.fake.any():
        return dict.fromkeys(wanted)
    measured = metrics.bootstraps(wanted, judged.scores, judged.fake, judged.groups)
    return {name: interval(value) for name, value in measured.items()}


def _at_half(judged: Scored) -> dict[str, Any]:
    at = metrics.confusion(judged.scores >= HALF, judged.fake)
    shares = {name: _number(getattr(at, name)) for name in ("accuracy", "precision", "recall", "f1")}
    return {**shares, "confusion": asdict(at)}


def _calibration(judged: Scored) -> dict[str, Any]:
    if judged.fake.all() or not judged.fake.any():
        return {"ece": None, "brier": None}
    even = metrics.even(judged.fake)
    return {
        "ece": metrics.calibration_error(judged.scores, judged.fake, importance=even),
        "brier": metrics.brier(judged.scores, judged.fake, even),
    }


def _flagged(scored: Scored, fake: bool) -> dict[str, Any]:
    """Of the items that could be judged; `upper`: the largest share that so few hits leave possible."""
    judged = scored.only((scored.fake == fake) & ~np.isnan(scored.scores))
    hits, of = sum(outcome == FLAGGED for outcome in judged.outcomes), len(judged.outcomes)
    rate, upper = (hits / of, metrics.upper_bound(hits, of)) if of else (None, None)
    return {"count": hits, "of": of, "share": rate, "upper": upper}


def _precision(found: dict[str, Any], alarms: dict[str, Any]) -> dict[str, float | None]:
    """`low` takes the false alarms at their upper bound."""
    if found["share"] is None or alarms["share"] is None:
        return {"value": None, "low": None}
    value, low = (metrics.precision_at(PREVALENCE, found["share"], alarms[key]) for key in ("share", "upper"))
    return {"value": _number(value), "low": _number(low)}


def curves(scored: Scored) -> dict[str, Any]:
    """What the plots show; empty lists where a class is missing."""
    judged = scored.judged
    counts = [np.histogram(judged.scores[judged.fake == fake], STRETCHES, (0, 1))[0].tolist() for fake in (False, True)]
    shown = {"reals": counts[0], "fakes": counts[1], "roc": [], "reliability": []}
    if judged.fake.all() or not judged.fake.any():
        return shown
    alarms, found = metrics.roc(judged.scores, judged.fake)
    bins = metrics.reliability(judged.scores, judged.fake, importance=metrics.even(judged.fake))
    kept = np.unique(np.linspace(0, len(alarms) - 1, min(MOST_POINTS, len(alarms))).round().astype(int))
    shown["roc"] = [[round(float(alarms[i]), 4), round(float(found[i]), 4)] for i in kept]
    shown["reliability"] = [[round(b.probability, 4), round(b.fakes, 4), b.items] for b in bins]
    return shown


def interval(value: Measured) -> dict[str, float]:
    return asdict(value)


def _number(value: float) -> float | None:
    return None if math.isnan(value) else value
