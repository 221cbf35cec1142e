"""From a trained network to what ships: ONNX file, manifest entry, calibration, card, figures, a line of the log."""

from __future__ import annotations

import datetime
import logging
import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnxruntime as ort
from numpy.typing import NDArray

from models import calibrate, fit, hypotheses
from models.ensemble import calibrated, ratio
from models.errors import CalibrationError
from models.evaluate import for_page
from models.evaluate.crops import SetResult, by_set
from models.evaluate.metrics import Measured, auc, bootstrap, calibration_error
from models.training import cards, crops, journal, learned, split
from models.training.augment import recompressed
from models.training.plan import Trained

log = logging.getLogger(__name__)

UNSEEN = ("stylegan_train", "synthetic_train")  # measured where a recipe learns from no picture of these
MOST_LEFT_OUT = 1500  # crops of a set that was left out: intervals of .03, in half a minute


@dataclass(frozen=True)
class Exported:
    """A recipe's ONNX file: uint8 RGB serving crops `crops` -> `p_fake`. `parity`: how far from what was trained."""

    path: Path
    sha256: str
    parity: float


@dataclass(frozen=True)
class Published:
    """`auc`: on judged groups; None where those lack a class."""

    name: str
    folder: Path
    auc: Measured | None


def mean_of_sets(values: Sequence[float]) -> float:
    """Of what judged groups show, set by set; a set with one class alone says nothing, and no set at all is chance."""
    known = [value for value in values if not math.isnan(value)]
    return float(np.mean(known)) if known else 0.5


def publish(
    exported: Exported,
    words: cards.Words,
    trained: Trained,
    shard: crops.Shard,
    data: Path,
    out: Path,
    seed: int,
    left_out: Collection[str] = (),
) -> Published:
    """Calibrate and measure on groups that were not learned from; `left_out`: sets and methods that were not either.

    Writes calibration.toml, manifest.toml, the card, metrics.json, which pictures were learned from, and a line of
    runs.md below `out`. `data`: what the items' paths are relative to.
    """
    scorer = Scorer(exported.path)
    today = datetime.datetime.now(datetime.UTC).date().isoformat()
    used = tuple(item for item in shard.items if is_kept(item, left_out))
    learned.write(exported.path, crops.root(data), used)
    for_page.after_training(exported.path, exported.sha256, journal.read(out / "work"))
    calibration = _calibrated(scorer, words, exported.sha256, shard, today, out, left_out)
    judged = kept(shard, "judge", left_out)
    scores = scorer.all(shard, judged)
    fake, groups = _labels(shard, judged)
    both = len(set(fake.tolist())) == 2
    facts = cards.Facts(
        sha256=exported.sha256,
        parity=exported.parity,
        trained=trained,
        seed=seed,
        date=today,
        items=used,
        seen=by_set(scores, fake, groups, [shard.items[i].dataset for i in judged]),
        pooled=bootstrap(auc, scores, fake, groups) if both else None,
        recompressed=_recompressed(scorer, shard, judged) if both else None,
        unseen=[*_left_out(scorer, shard, left_out), *_unseen(scorer, shard, data, out / "work")],
        calibrated=_measured(scores, fake, calibration, words.name) if calibration and both else None,
    )
    cards.write(facts, words, out)
    log.info("%s: AUC %s on judged groups, parity %.1e", words.title, facts.pooled, exported.parity)
    return Published(words.name, out, facts.pooled)


def _calibrated(
    scorer: Scorer,
    words: cards.Words,
    sha256: str,
    shard: crops.Shard,
    today: str,
    out: Path,
    left_out: Collection[str],
) -> calibrate.Calibration | None:
    """None where too few genuine faces were held out: it is shown with weight 0 till `unmask calibrate` knows it."""
    path = out / "weights" / "calibration.toml"
    try:
        calibration = joint(
            {words.name: scorer}, {words.name: sha256}, shard, today, left_out, {words.name: words.kinds}
        )
    except CalibrationError as error:
        log.warning("not calibrated: %s", error)
        path.unlink(missing_ok=True)
        return None
    path.write_text(calibrate.written(calibration), encoding="utf-8")
    return calibration


class Scorer:
    """p_fake of crops by the exported file: what is measured and calibrated is what is served."""

    def __init__(self, path: Path) -> None:
        self._session = ort.InferenceSession(str(path), providers=["CPUExecutionProvider"])

    def __call__(self, some: NDArray[np.uint8]) -> NDArray[np.float64]:
        return np.asarray(self._session.run(["p_fake"], {"crops": some})[0], np.float64)

    def all(self, shard: crops.Shard, among: NDArray[np.int64], batch: int = 32) -> NDArray[np.float64]:
        pieces = [among[i : i + batch].tolist() for i in range(0, len(among), batch)]
        scores = [self(np.stack([crops.serving_crop(shard, i) for i in piece])) for piece in pieces]
        return np.concatenate([np.zeros(0), *scores])


def _labels(shard: crops.Shard, among: NDArray[np.int64]) -> tuple[NDArray[np.bool_], list[str]]:
    return np.array([shard.items[i].fake for i in among], np.bool_), [shard.items[i].group for i in among]


def kept(shard: crops.Shard, part: split.Part, left_out: Collection[str]) -> NDArray[np.int64]:
    """The items of a part, without what was left out."""
    return np.array([i for i in split.indices(shard.items, part) if is_kept(shard.items[i], left_out)], np.int64)


def is_kept(item: crops.Item, left_out: Collection[str]) -> bool:
    return item.dataset not in left_out and item.method not in left_out


def joint(
    scorers: Mapping[str, Scorer],
    weights: Mapping[str, str],
    shard: crops.Shard,
    today: str,
    left_out: Collection[str] = (),
    kinds: Mapping[str, Sequence[str]] | None = None,
) -> calibrate.Calibration:
    """One calibration for several detectors, in which each one's weight is earned beside those of its hypothesis.

    `kinds`: of each detector, as in its manifest entry.
    """
    held_out = kept(shard, "calibrate", left_out)
    _, groups = _labels(shard, held_out)
    sets = sorted({shard.items[i].dataset for i in held_out})
    return fit.fit(
        {name: scorer.all(shard, held_out).tolist() for name, scorer in scorers.items()},
        [wrong_with(shard.items[i]) for i in held_out],
        groups,
        id=today,
        dataset=f"held-out groups of {', '.join(sets)}",
        hypotheses={name: hypotheses.of_kinds(of_one) for name, of_one in (kinds or {}).items()},
        weights=weights,
    )


def wrong_with(item: crops.Item) -> str:
    """What is wrong with an item; nothing where it is genuine."""
    return hypotheses.of_method(item.method) if item.fake else ""


def _recompressed(scorer: Scorer, shard: crops.Shard, judged: NDArray[np.int64], most: int = 1000) -> Measured:
    some = np.sort(np.random.default_rng(0).permutation(judged)[:most])
    worse = np.stack([recompressed(crops.serving_crop(shard, i), 50) for i in some])
    scores = np.concatenate([scorer(worse[i : i + 32]) for i in range(0, len(worse), 32)])
    return bootstrap(auc, scores, *_labels(shard, some))


def _left_out(scorer: Scorer, shard: crops.Shard, left_out: Collection[str]) -> Sequence[SetResult]:
    """On crops of the sets and methods that were left out, drawn from all of their groups: none was learned from."""
    drawn = np.random.default_rng(0).permutation(len(shard.items)).tolist()
    sets: dict[str, list[int]] = {}
    for i in drawn:
        if not is_kept(shard.items[i], left_out):
            sets.setdefault(shard.items[i].dataset, []).append(i)
    among = np.sort(np.array([i for some in sets.values() for i in some[:MOST_LEFT_OUT]], np.int64))
    fake, groups = _labels(shard, among)
    return by_set(scorer.all(shard, among), fake, groups, [shard.items[i].dataset for i in among])


def _unseen(scorer: Scorer, shard: crops.Shard, data: Path, work: Path) -> Sequence[SetResult]:
    """On sets that the recipe does not even load."""
    wanted = set(UNSEEN) - {item.dataset for item in shard.items}
    index = crops.root(data) / "index.csv"
    items = [item for item in crops.read_index(index) if item.dataset in wanted] if index.is_file() else []
    if not items:
        return []
    cut = crops.prepare(data, items, work / "crops")
    everything = np.arange(len(items))
    fake, groups = _labels(cut, everything)
    return by_set(scorer.all(cut, everything), fake, groups, [item.dataset for item in items])


def _probabilities(scores: NDArray[np.float64], calibration: calibrate.Calibration, name: str) -> NDArray[np.float64]:
    scale = calibration.detectors[name]
    return np.array([calibrated(p, scale, calibration.prior) for p in scores.tolist()])


def _measured(
    scores: NDArray[np.float64], fake: NDArray[np.bool_], calibration: calibrate.Calibration, name: str
) -> cards.Calibrated:
    alarms = _false_alarms(scores, fake, calibration, name)
    return cards.Calibrated(calibration, _calibration_error(scores, fake, calibration, name), *alarms)


def _calibration_error(
    scores: NDArray[np.float64], fake: NDArray[np.bool_], calibration: calibrate.Calibration, name: str
) -> float:
    """On as many genuine as manipulated items, as the prior of .5 says."""
    rng = np.random.default_rng(0)
    size = min(int(fake.sum()), int((~fake).sum()))
    even = np.concatenate([rng.permutation(np.flatnonzero(side))[:size] for side in (fake, ~fake)])
    return calibration_error(_probabilities(scores[even], calibration, name), fake[even])


def _false_alarms(
    scores: NDArray[np.float64], fake: NDArray[np.bool_], calibration: calibrate.Calibration, name: str
) -> tuple[float, float]:
    """Share of genuine and of manipulated judged items whose p-value reaches "likely"."""
    scale = calibration.detectors[name]
    likely = np.array([calibration.p_value(ratio(p, scale)) <= calibration.likely_p for p in scores.tolist()])
    return float(likely[~fake].mean()), float(likely[fake].mean())
