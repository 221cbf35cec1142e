"""The plots of an evaluation, from the content of metrics.json."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from models.evaluate.figures import CLEAR, FLAGGED, INCONCLUSIVE, NOT_ASSESSABLE, STRETCHES
from models.evaluate.measure import ENSEMBLE
from models.plots.charts import Axis, Chart, Counts, Plot, Series

TENTHS = [i / 5 for i in range(6)]
WORDS = {FLAGGED: "likely", INCONCLUSIVE: "inconclusive", CLEAR: "no sign", NOT_ASSESSABLE: "not assessed"}


def plots(metrics: Mapping[str, Any]) -> dict[str, Plot]:
    """File name -> plot; what cannot be measured has none, and who said nothing is in none."""
    overall = {name: of for name, of in metrics["overall"].items() if name == ENSEMBLE or spoke(of)}
    curves = {name: of["curves"] for name, of in overall.items()}
    found: dict[str, Plot] = {}
    if curves[ENSEMBLE]["roc"]:
        found["roc"] = Chart(
            "ROC: found against false alarms",
            Axis("genuine flagged", 1, TENTHS, "%"),
            Axis("manipulated flagged", 1, TENTHS, "%"),
            [Series(name, _points(of["roc"])) for name, of in curves.items()],
            diagonal=True,
        )
        found["reliability"] = Chart(
            "Reliability, where half is manipulated",
            Axis("probability that was said", 1, TENTHS, "%"),
            Axis("share that was manipulated", 1, TENTHS, "%"),
            [Series(name, _points(of["reliability"]), dots=True) for name, of in curves.items()],
            diagonal=True,
        )
    for name, of in curves.items():
        found[f"scores-{name}"] = _histogram(name, of)
        found[f"confusion-{name}"] = _confusion(name, overall[name])
    found["outcomes"] = _outcomes(metrics["outcomes"])
    return found


def spoke(of: Mapping[str, Any]) -> bool:
    return bool(of["judged_reals"] or of["judged_fakes"])


def _points(rows: Sequence[Sequence[float]]) -> list[tuple[float, float]]:
    return [(row[0], row[1]) for row in rows]


def _histogram(name: str, of: Mapping[str, Any]) -> Chart:
    shares = {
        words: [count / max(sum(of[key]), 1) for count in of[key]]
        for words, key in (("genuine", "reals"), ("manipulated", "fakes"))
    }
    highest = max((max(values) for values in shares.values()), default=0)
    top = next(top for top in (0.1, 0.2, 0.5, 1.0) if highest <= top)
    return Chart(
        f"Scores of {name}",
        Axis("probability of manipulation", 1, TENTHS, "%"),
        Axis("share of items", top, [top * i / 5 for i in range(6)], "%"),
        [Series(words, [(i / STRETCHES, v) for i, v in enumerate(vs)], bars=True) for words, vs in shares.items()],
    )


def _confusion(name: str, of: Mapping[str, Any]) -> Counts:
    at = of["confusion"]
    return Counts(
        f"{name}: called at 50 %",
        ["genuine", "manipulated"],
        ["below", "above"],
        [[at["reals_passed"], at["reals_flagged"]], [at["fakes_missed"], at["fakes_found"]]],
    )


def _outcomes(outcomes: Mapping[str, Mapping[str, int]]) -> Counts:
    return Counts(
        "Labels given, all in one vote",
        list(outcomes),
        list(WORDS.values()),
        [[row[outcome] for outcome in WORDS] for row in outcomes.values()],
    )
