"""How often the labels err on the very items they were calibrated on: the error rates a report tells, a little kind."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from models.calibrate import Calibration


def measured(calibration: Calibration) -> dict[str, Any]:
    """As a report wants it: of one person each, since every further one makes "likely" harder to reach."""
    likely, genuine = calibration.likely_above(), calibration.real
    return {
        "dataset": calibration.dataset,
        "genuine": len(genuine),
        "genuine_flagged": _share_above(genuine, likely),
        "manipulated": [
            {
                "kind": kind,
                "items": len(scores),
                "flagged": _share_above(scores, likely),
                "cleared": 1 - _share_above(scores, calibration.no_evidence_up_to(kind)),
            }
            for kind, scores in calibration.fake.items()
        ],
    }


def _share_above(scores: Sequence[float], mark: float | None) -> float:
    return 0.0 if mark is None else sum(score > mark for score in scores) / len(scores)
