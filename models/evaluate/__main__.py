"""What the cards say of the detectors that ship, measured again.

python -m models.evaluate crops faces/index.csv runs/blend   held-out crops: each detector alone, and all in one vote
python -m models.evaluate clips faces/                       the clips below faces/videos, through the whole line

`crops` reads what `unmask train blend --out runs/blend` cut, or cuts it.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from models import calibrate, ensemble, manifest, registry
from models.analyze import Analyzer
from models.evaluate import files
from models.evaluate.crops import by_set
from models.evaluate.metrics import Flags, auc, bootstrap
from models.training import blend, split
from models.training.publish import Scorer

USAGE = __doc__ or ""


def crops(index: Path, out: Path) -> None:
    """Groups that no detector was trained on; they chose which moment of the training was kept."""
    shard = blend.load(index, out / "work")
    judged = split.indices(shard.items, "judge")
    fake = np.array([shard.items[i].fake for i in judged], np.bool_)
    groups = [shard.items[i].group for i in judged]
    sets = [shard.items[i].dataset for i in judged]
    entries = {name: manifest.entry(name) for name in registry.installed()}
    scores = {name: Scorer(manifest.WEIGHTS / entry.file).all(shard, judged) for name, entry in entries.items()}
    calibration = calibrate.load()
    for name, alone in scores.items():
        print(f"\n{name} alone: AUC {bootstrap(auc, alone, fake, groups)}")
        _sets(alone, fake, groups, sets)
    together = [
        ensemble.combine({name: float(s[i]) for name, s in scores.items()}, calibration) for i in range(len(fake))
    ]
    probability = np.array([vote.probability if vote else 0.5 for vote in together])
    likely = np.array([vote is not None and vote.p_value <= calibration.likely_p for vote in together])
    print(f"\nin one vote: AUC {bootstrap(auc, probability, fake, groups)}")
    print(_flagged(likely, fake))
    _sets(probability, fake, groups, sets)


def _flagged(likely: Flags, fake: Flags) -> str:
    genuine, made = (f"{likely[some].sum()} of {some.sum()} ({likely[some].mean():.1%})" for some in (~fake, fake))
    return f"flagged as likely manipulated: {genuine} genuine, {made} manipulated"


def _sets(scores: NDArray[np.float64], fake: Flags, groups: Sequence[str], sets: Sequence[str]) -> None:
    for result in by_set(scores, fake, groups, sets):
        print(f"  {result.name:<24}{result.reals:>6} / {result.fakes:<6} AUC {result.auc}")


def clips(data: Path, folder: str = "videos") -> None:
    analyzer = Analyzer(onnx_threads=2)
    results = list(files.judge(data, folder, analyzer))
    judged = [result for result in results if result.probability is not None]
    fake = np.array([result.fake for result in judged], np.bool_)
    scores = np.array([result.probability for result in judged], np.float64)
    likely = np.array([(result.p_value or 0) <= analyzer.calibration.likely_p for result in judged], np.bool_)
    print(f"{len(judged)} of {len(results)} judged: AUC {bootstrap(auc, scores, fake, [r.path for r in judged])}")
    print(_flagged(likely, fake))
    right, pairs = _twins({Path(result.path).stem: result.probability or 0.0 for result in judged})
    print(f"fakes above their own genuine twin: {right} of {pairs}")


def _twins(scores: Mapping[str, float]) -> tuple[int, int]:
    pairs = [
        (score, scores[name.replace("_fake", "_real")])
        for name, score in scores.items()
        if name.endswith("_fake") and name.replace("_fake", "_real") in scores
    ]
    return sum(made > genuine for made, genuine in pairs), len(pairs)


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["crops", index, out]:
            crops(Path(index), Path(out))
        case ["clips", data]:
            clips(Path(data))
        case _:
            sys.exit(USAGE)
