"""How scores of labelled crops do, set by set, with intervals over groups."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from models.evaluate.metrics import Flags, Measured, Reals, auc, bootstrap, tpr_at_fpr


@dataclass(frozen=True)
class SetResult:
    """`auc` and `tpr` (at 5 % false alarms in that set) are None where a class is missing."""

    name: str
    reals: int
    fakes: int
    auc: Measured | None
    tpr: float | None


def by_set(scores: Reals, fake: Flags, groups: Sequence[str], sets: Sequence[str]) -> list[SetResult]:
    named, grouped = np.array(sets), np.array(groups)
    return [
        _result(name, scores[named == name], fake[named == name], grouped[named == name].tolist())
        for name in sorted(set(sets))
    ]


def _result(name: str, scores: Reals, fake: Flags, groups: Sequence[str]) -> SetResult:
    reals, fakes = int((~fake).sum()), int(fake.sum())
    if not reals or not fakes:
        return SetResult(name, reals, fakes, None, None)
    return SetResult(name, reals, fakes, bootstrap(auc, scores, fake, groups), tpr_at_fpr(scores, fake, 0.05))
