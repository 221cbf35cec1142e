"""How well each generator is told from each genuine set: the table that says whether a detector learned generators.

A pooled figure flatters: faces of old video are told from any clean portrait by their softness alone. What counts is a
generator against clean portraits, and most of all one that was left out of the training.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from models.evaluate.metrics import auc, tpr_at_fpr
from models.training.crops import Item

NEXT_HEADING = "## Calibration"
FALSE_ALARMS = 0.01


def source(item: Item) -> str:
    """A fake's generator, a genuine picture's set."""
    return item.method if item.fake else item.dataset


def table(scores: NDArray[np.float64], items: Sequence[Item], left_out: Collection[str]) -> str:
    """AUC of each generator against each genuine set, and the share found where 1 % of all genuine are flagged."""
    sources, fake = np.array([source(item) for item in items]), np.array([item.fake for item in items])
    reals = sorted(set(sources[~fake]))
    lines = [f"| generator | faces | {' | '.join(reals)} | all | found at 1 % |", "|---" * (len(reals) + 4) + "|"]
    for generator in sorted(set(sources[fake])):
        own = sources == generator
        against = [own | (~fake & (sources == name)) for name in reals] + [own | ~fake]
        cells = " | ".join(f"{auc(scores[some], fake[some]):.3f}" for some in against)
        found = tpr_at_fpr(scores[own | ~fake], fake[own | ~fake], FALSE_ALARMS)
        told = f"{generator} (left out)" if generator in left_out else generator
        lines.append(f"| {told} | {own.sum():,} | {cells} | {found:.2f} |")
    return "\n".join(lines)


def add_to_card(card: Path, measured: str) -> None:
    before, _, after = card.read_text(encoding="utf-8").partition(NEXT_HEADING)
    heading = "## Generator by generator\n\nAUC against the genuine faces of each set, on groups held out."
    card.write_text(f"{before}{heading}\n\n{measured}\n\n{NEXT_HEADING}{after}", encoding="utf-8")
