"""Results to the content of metrics.json: per detector and in one vote, overall, by set, method and trait."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from models.evaluate import metrics
from models.evaluate.figures import BANDS, FLAGGED, NOT_ASSESSABLE, OUTCOMES, Scored, curves, figures, interval
from models.evaluate.metrics import Flags, Measured, auc, draws_of_groups
from models.evaluate.run import AS_IT_IS, Result
from models.evaluate.samples import TRAITS, Sample, used_by
from models.manifest import Entry
from models.training import learned

ENSEMBLE = "ensemble"
LABELS = {"genuine": False, "manipulated": True}


def measure(
    samples: Sequence[Sample], results: Iterable[Result], detectors: Sequence[str], entries: Mapping[str, Entry]
) -> dict[str, Any]:
    """`entries`: what the manifest says each detector learned from."""
    by_change: dict[str, dict[str, Result]] = {}
    for result in results:
        by_change.setdefault(result.change, {})[result.name] = result
    plain = by_change.pop(AS_IT_IS)
    read = [sample for sample in samples if plain[sample.name].error is None]
    names = (ENSEMBLE, *detectors)
    scored = {name: scores(read, plain, name) for name in names}
    return {
        "items": len(samples),
        "errors": dict(Counter(error for sample in samples if (error := plain[sample.name].error))),
        "used": {name: _used(entry, read) for name, entry in entries.items() if name in detectors},
        "overall": {name: {**figures(some), "curves": curves(some)} for name, some in scored.items()},
        "outcomes": {words: _outcomes(scored[ENSEMBLE], fake) for words, fake in LABELS.items()},
        "by_set": _split(scored, [sample.dataset for sample in read]),
        "by_method": _by_method(scored, read),
        "by_trait": _by_trait(scored[ENSEMBLE], read),
        "twins": {name: _twins(some, read) for name, some in scored.items()},
        "changes": {
            change: {name: _cost(read, plain, changed, name) for name in names} for change, changed in by_change.items()
        },
    }


def scores(samples: Sequence[Sample], results: Mapping[str, Result], name: str) -> Scored:
    """What one scorer said; a file that could not be read after a change was not judged."""
    found = [results[sample.name] for sample in samples]
    said = [_said(result, name) for result in found]
    return Scored(
        np.array([np.nan if score is None else score for score, _, _ in said], np.float64),
        [outcome for _, outcome, _ in said],
        np.array([sample.fake for sample in samples], np.bool_),
        [sample.group for sample in samples],
        np.array([seconds for _, _, seconds in said], np.float64),
    )


def _said(result: Result, name: str) -> tuple[float | None, str, float]:
    if result.label is None:
        return None, NOT_ASSESSABLE, result.seconds
    if name == ENSEMBLE:
        return result.probability, result.label, result.seconds
    heard = (result.detectors or {}).get(name)
    return (heard.score, BANDS[heard.band], heard.ms / 1000) if heard else (None, NOT_ASSESSABLE, 0.0)


def _outcomes(vote: Scored, fake: bool) -> dict[str, int]:
    counts = Counter(vote.only(vote.fake == fake).outcomes)
    return {outcome: counts[outcome] for outcome in OUTCOMES}


def _split(scored: Mapping[str, Scored], parts: Sequence[str]) -> dict[str, Any]:
    column = np.array(parts)
    return {
        part: {name: figures(some.only(column == part)) for name, some in scored.items()} for part in sorted(set(parts))
    }


def _by_method(scored: Mapping[str, Scored], samples: Sequence[Sample]) -> dict[str, Any]:
    """The fakes of one method against all genuine items of the sets they are in."""
    sets_of: dict[str, set[str]] = {}
    for sample in samples:
        if sample.fake and sample.method:
            sets_of.setdefault(sample.method, set()).add(sample.dataset)
    found = {}
    for method, sets in sorted(sets_of.items()):
        wanted = [s.dataset in sets and (s.method == method if s.fake else True) for s in samples]
        found[method] = {name: figures(some.only(np.array(wanted))) for name, some in scored.items()}
    return found


def _by_trait(vote: Scored, samples: Sequence[Sample]) -> dict[str, Any]:
    """False alarms: how many genuine people of each age, gender and origin are flagged."""
    found: dict[str, Any] = {}
    for trait in TRAITS:
        values = np.array([sample.traits.get(trait, "") for sample in samples])
        for value in sorted(set(values.tolist()) - {""}):
            alarms = figures(vote.only(np.asarray((values == value) & ~vote.fake)))["flagged_genuine"]
            found.setdefault(trait, {})[value] = alarms
    return found


def _twins(scored: Scored, samples: Sequence[Sample]) -> dict[str, int]:
    """Fakes above the genuine items of their own group: what a rater would say who sees the two side by side."""
    genuine: dict[tuple[str, str], list[float]] = {}
    made: list[tuple[tuple[str, str], float]] = []
    for sample, score in zip(samples, scored.scores.tolist(), strict=True):
        if np.isnan(score):
            continue
        twin = (sample.dataset, sample.group)
        if sample.fake:
            made.append((twin, score))
        else:
            genuine.setdefault(twin, []).append(score)
    pairs = [(score, np.mean(genuine[twin])) for twin, score in made if twin in genuine]
    return {"above": sum(bool(fake > real) for fake, real in pairs), "of": len(pairs)}


def _used(entry: Entry, samples: Sequence[Sample]) -> dict[str, int]:
    record = learned.read(entry.path)
    return dict(Counter(used_by(entry, sample, record) for sample in samples))


def _cost(
    samples: Sequence[Sample], plain: Mapping[str, Result], changed: Mapping[str, Result], name: str
) -> dict[str, Any]:
    """On the items that could be judged both before and after; `lost`: share that could only be judged before."""
    before, after = scores(samples, plain, name), scores(samples, changed, name)
    was = ~np.isnan(before.scores)
    both = was & ~np.isnan(after.scores)
    first, second = before.only(both), after.only(both)
    if not both.any() or first.fake.all() or not first.fake.any():
        return {"before": None, "after": None, "cost": None, "flagged_genuine": None, "lost": None}
    draws = draws_of_groups(first.groups, 200, 0)

    def cost(some: Any) -> float:
        return auc(first.scores[some], first.fake[some]) - auc(second.scores[some], second.fake[some])

    low, high = np.nanpercentile([cost(draw) for draw in draws], [2.5, 97.5])
    return {
        "before": auc(first.scores, first.fake),
        "after": auc(second.scores, second.fake),
        "cost": interval(Measured(cost(slice(None)), float(low), float(high))),
        "flagged_genuine": _alarms(second, ~second.fake),
        "lost": 1 - float(both.sum() / was.sum()),
    }


def _alarms(scored: Scored, genuine: Flags) -> dict[str, Any]:
    hits = sum(outcome == FLAGGED for outcome in scored.only(genuine).outcomes)
    of = int(genuine.sum())
    return {"count": hits, "of": of, "share": hits / of, "upper": metrics.upper_bound(hits, of)}
