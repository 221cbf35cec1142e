"""Labelled files to a calibration of the installed detectors, whatever brought their weights: `unmask calibrate`.

Pictures and clips are calibrated apart. A file that any of the detectors learned from, or that shares a group with
one, is left out: its scores are better than those of files from elsewhere, and thresholds made of them would be wrong.
"""

from __future__ import annotations

import logging
import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from models import bar, fit, hypotheses, manifest
from models.calibrate import Calibration
from models.errors import CalibrationError
from models.evaluate.metrics import auc
from models.evaluate.samples import Sample, limited, used_by
from models.fit import FEWEST_CLIPS, FEWEST_REALS, Labels
from models.listener import Listener, Said, Source, is_clip, source
from models.training import learned

log = logging.getLogger(__name__)

LEARNED_FROM = "learned from"


@dataclass(frozen=True)
class Fitted:
    """What a detector showed. `auc` is None where it scored one label alone; `why` says why it has no weight."""

    name: str
    reals: int
    fakes: int
    auc: float | None
    weight: float
    why: str = ""


@dataclass(frozen=True)
class Recalibrated:
    """`passed_over`: reason -> files. `clips`: None where pictures alone were calibrated."""

    calibration: Calibration
    pictures: tuple[Fitted, ...]
    clips: tuple[Fitted, ...] | None
    passed_over: Mapping[str, int]
    unrecorded: tuple[str, ...]


def run(
    data: Path,
    samples: Sequence[Sample],
    detectors: Sequence[str],
    id: str,
    labels: Labels,
    workers: int,
    most: int | None = None,
) -> Recalibrated:
    """`data`: where the samples were read; `most`: of each label in each set.

    Raises CalibrationError where too few genuine ones are left.
    """
    dataset = _dataset(data, samples)
    entries = manifest.read()
    marks = {name: learned.read(entries[name].path) for name in detectors if name in entries}
    passed_over: Counter[str] = Counter()
    kept = []
    for sample in samples:
        if _learned_from(sample, marks, entries):
            passed_over[LEARNED_FROM] += 1
        else:
            kept.append(sample)
    kept = kept if most is None else limited(kept, most)
    _enough(kept, passed_over)
    said = _heard(source(data), kept, detectors, workers)
    passed_over.update(one.reason for one in said if one.reason)
    pairs = [(sample, one) for sample, one in zip(kept, said, strict=True) if not one.reason]
    of_clips = [pair for pair in pairs if is_clip(pair[0])]
    of_pictures = [pair for pair in pairs if not is_clip(pair[0])]
    calibration, pictures = _fit(of_pictures, detectors, entries, dataset, id, labels)
    clips = None
    if _reals(of_clips) >= FEWEST_CLIPS:
        its_own, clips = _fit(of_clips, detectors, entries, dataset, id, labels)
        calibration = replace(calibration, clips=replace(its_own, best_faces=True))
    elif of_clips:
        passed_over[f"clips, since {FEWEST_CLIPS} genuine ones are needed"] += len(of_clips)
    unrecorded = tuple(name for name, known in marks.items() if known is None)
    return Recalibrated(calibration, pictures, clips, dict(passed_over), unrecorded)


def _learned_from(
    sample: Sample, marks: Mapping[str, frozenset[bytes] | None], entries: Mapping[str, manifest.Entry]
) -> bool:
    """By the records beside the weights; where there is none, by the set's name and the split every recipe uses."""
    unrecorded = [entries[name] for name, known in marks.items() if known is None]
    if any(used_by(entry, sample) in (LEARNED_FROM, "chosen by") for entry in unrecorded):
        return True
    return learned.seen(marks.values(), sample.group, sample.path)


def _heard(faces_of: Source, samples: Sequence[Sample], detectors: Sequence[str], workers: int) -> list[Said]:
    with (
        Listener(faces_of, detectors) as listener,
        ThreadPoolExecutor(workers) as pool,
        bar.counting("Asking the detectors", len(samples)) as advance,
    ):
        said = []
        for one in pool.map(listener, samples):
            said.append(one)
            advance()
        return said


def _fit(
    pairs: Sequence[tuple[Sample, Said]],
    detectors: Sequence[str],
    entries: Mapping[str, manifest.Entry],
    dataset: str,
    id: str,
    labels: Labels,
) -> tuple[Calibration, tuple[Fitted, ...]]:
    wrong = [hypotheses.of_method(sample.method) if sample.fake else "" for sample, _ in pairs]
    speak = {name: hypotheses.of_kinds(entries[name].kinds if name in entries else ()) for name in detectors}
    scores = {name: [said.p_fake.get(name, math.nan) for _, said in pairs] for name in detectors}
    shown = {name: _shown(name, scores[name], wrong, speak[name]) for name in detectors}
    usable = {name: scores[name] for name, one in shown.items() if not one.why}
    if not usable:
        why = "; ".join(f"{name}: {one.why}" for name, one in shown.items())
        raise CalibrationError(f"No detector can be calibrated: {why}.")
    calibration = fit.fit(
        usable,
        wrong,
        [sample.group for sample, _ in pairs],
        id=id,
        dataset=dataset,
        hypotheses=speak,
        labels=labels,
        weights={name: entries[name].digest for name in usable if name in entries},
    )
    weights = {name: platt.weight for name, platt in calibration.detectors.items()}
    if not any(weights.values()):
        aucs = ", ".join(f"{name} {one.auc:.3f}" for name, one in shown.items() if one.auc is not None)
        raise CalibrationError(
            f"No detector tells these fakes from the genuine ones (AUC: {aucs}): nothing is calibrated."
        )
    return calibration, tuple(replace(one, weight=weights.get(name, 0.0)) for name, one in shown.items())


def _shown(name: str, scores: Sequence[float], wrong: Sequence[str], hypothesis: str) -> Fitted:
    values, truth = np.array(scores, np.float64), np.array(wrong, np.str_)
    among = ~np.isnan(values) & ((truth == "") | (truth == hypothesis))
    fake = truth[among] == hypothesis
    reals, fakes = int((~fake).sum()), int(fake.sum())
    why = ""
    if np.isnan(values).all():
        why = "it scored none of them"
    elif not fakes:
        why = f"nothing here shows what it looks for ({hypothesis})"
    elif reals < FEWEST_REALS:
        why = f"it scored {reals} genuine items, {FEWEST_REALS} are needed"
    return Fitted(name, reals, fakes, auc(values[among], fake) if reals and fakes else None, 0.0, why)


def _enough(samples: Sequence[Sample], passed_over: Mapping[str, int]) -> None:
    """Said before hours of scoring, not after."""
    reals = sum(not sample.fake and not is_clip(sample) for sample in samples)
    gone = passed_over.get(LEARNED_FROM, 0)
    why = f" {gone} others were left out: the detectors learned from them or from their groups." if gone else ""
    if reals < FEWEST_REALS:
        raise CalibrationError(
            f"A p-value of .01 needs {FEWEST_REALS} genuine pictures; here are {reals}.{why} Give more of them."
        )
    if not any(sample.fake for sample in samples):
        raise CalibrationError(f"A calibration needs manipulated pictures, too; here are none.{why}")


def _reals(pairs: Iterable[tuple[Sample, Said]]) -> int:
    return sum(not sample.fake for sample, _ in pairs)


def _dataset(path: Path, samples: Sequence[Sample]) -> str:
    """In words: the folder's name, and the sets in it."""
    sets = sorted({sample.dataset for sample in samples})
    return path.resolve().name if sets == [path.resolve().name] else f"{path.resolve().name}: {', '.join(sets)}"
