"""From a trained network to what ships: ONNX file, manifest entry, calibration, card and a line in the log of runs."""

from __future__ import annotations

import datetime
import logging
from collections.abc import Sequence
from pathlib import Path

import keras
import numpy as np
import onnxruntime as ort
from numpy.typing import NDArray

from models import calibrate, fit
from models.ensemble import calibrated, ratio
from models.evaluate.crops import SetResult, by_set
from models.evaluate.metrics import Measured, auc, bootstrap, calibration_error
from models.training import cards, crops, export, mesonet, split
from models.training.augment import recompressed
from models.training.plan import Trained

log = logging.getLogger(__name__)

UNSEEN = ("stylegan_train", "synthetic_train")  # no picture of these is learned from
VERSION = "1.0"
TITLE = "Meso-4"


def meso4(model: keras.Model, trained: Trained, shard: crops.Shard, data: Path, out: Path, seed: int) -> None:
    weights = out / "weights"
    serve = mesonet.WithCam(model)
    sha256 = export.to_onnx(serve, mesonet.SIDE, ("p_fake", "cam"), weights / "meso4.onnx")
    parity = export.check_parity(serve, weights / "meso4.onnx", np.asarray(shard.crops[:16]))
    scorer = Scorer(weights / "meso4.onnx")
    today = datetime.datetime.now(datetime.UTC).date().isoformat()
    calibration = _calibrated(scorer, shard, today, sha256)
    (weights / "calibration.toml").write_text(calibrate.written(calibration), encoding="utf-8")
    judged = split.indices(shard.items, "judge")
    scores = scorer.all(shard, judged)
    fake, groups = _labels(shard, judged)
    facts = cards.Facts(
        sha256=sha256,
        parity=parity,
        trained=trained,
        seed=seed,
        date=today,
        items=shard.items,
        seen=by_set(scores, fake, groups, [shard.items[i].dataset for i in judged]),
        pooled=bootstrap(auc, scores, fake, groups),
        recompressed=_recompressed(scorer, shard, judged),
        unseen=_unseen(scorer, shard, data, out / "work"),
        calibration=calibration,
        calibration_error=_calibration_error(scores, fake, calibration),
        false_alarms=_false_alarms(scores, fake, calibration),
    )
    cards.write(facts, VERSION, TITLE, out)
    log.info("Meso-4: AUC %s on judged groups, parity %.1e", facts.pooled, parity)


class Scorer:
    """p_fake of crops by the exported file: what is measured and calibrated is what is served."""

    def __init__(self, path: Path) -> None:
        self._session = ort.InferenceSession(str(path), providers=["CPUExecutionProvider"])

    def __call__(self, some: NDArray[np.uint8]) -> NDArray[np.float64]:
        return np.asarray(self._session.run(["p_fake"], {"crops": some})[0], np.float64)

    def all(self, shard: crops.Shard, among: NDArray[np.int64], batch: int = 32) -> NDArray[np.float64]:
        return np.concatenate([self(shard.crops[among[i : i + batch]]) for i in range(0, len(among), batch)])


def _labels(shard: crops.Shard, among: NDArray[np.int64]) -> tuple[NDArray[np.bool_], list[str]]:
    return np.array([shard.items[i].fake for i in among]), [shard.items[i].group for i in among]


def _calibrated(scorer: Scorer, shard: crops.Shard, today: str, sha256: str) -> calibrate.Calibration:
    held_out = split.indices(shard.items, "calibrate")
    fake, groups = _labels(shard, held_out)
    scores = scorer.all(shard, held_out)
    sets = sorted({shard.items[i].dataset for i in held_out})
    return fit.fit(
        {"meso4": scores.tolist()},
        fake.tolist(),
        groups,
        id=today,
        dataset=f"held-out groups of {', '.join(sets)}",
        weights={"meso4": sha256},
    )


def _recompressed(scorer: Scorer, shard: crops.Shard, judged: NDArray[np.int64], most: int = 1000) -> Measured:
    some = np.sort(np.random.default_rng(0).permutation(judged)[:most])
    worse = np.stack([recompressed(np.asarray(shard.crops[i]), 50) for i in some])
    scores = np.concatenate([scorer(worse[i : i + 32]) for i in range(0, len(worse), 32)])
    return bootstrap(auc, scores, *_labels(shard, some))


def _unseen(scorer: Scorer, trained_on: crops.Shard, data: Path, work: Path) -> Sequence[SetResult]:
    wanted = set(UNSEEN) - {item.dataset for item in trained_on.items}
    items = [item for item in crops.read_index(data) if item.dataset in wanted]
    if not items:
        return []
    shard = crops.prepare(data, items, work / "crops")
    everything = np.arange(len(items))
    fake, groups = _labels(shard, everything)
    return by_set(scorer.all(shard, everything), fake, groups, [item.dataset for item in items])


def _probabilities(scores: NDArray[np.float64], calibration: calibrate.Calibration) -> NDArray[np.float64]:
    scale = calibration.detectors["meso4"]
    return np.array([calibrated(p, scale, calibration.prior) for p in scores.tolist()])


def _calibration_error(
    scores: NDArray[np.float64], fake: NDArray[np.bool_], calibration: calibrate.Calibration
) -> float:
    """On as many genuine as manipulated items, as the prior of .5 says."""
    rng = np.random.default_rng(0)
    size = min(int(fake.sum()), int((~fake).sum()))
    even = np.concatenate([rng.permutation(np.flatnonzero(side))[:size] for side in (fake, ~fake)])
    return calibration_error(_probabilities(scores[even], calibration), fake[even])


def _false_alarms(
    scores: NDArray[np.float64], fake: NDArray[np.bool_], calibration: calibrate.Calibration
) -> tuple[float, float]:
    """Share of genuine and of manipulated judged items whose p-value reaches "likely"."""
    scale = calibration.detectors["meso4"]
    likely = np.array([calibration.p_value(ratio(p, scale)) <= calibration.likely_p for p in scores.tolist()])
    return float(likely[~fake].mean()), float(likely[fake].mean())
