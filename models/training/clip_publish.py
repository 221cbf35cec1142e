"""From a network that learned from clips to what can be installed: manifest entry, card, figures, a line of the log.

No calibration: that takes 200 genuine clips nobody learned from, and `unmask calibrate` fits it.
"""

from __future__ import annotations

import datetime
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from models.evaluate.metrics import Measured, auc, bootstrap
from models.training import cards, learned
from models.training.cards import Words
from models.training.plan import Trained
from models.training.shard import Item


@dataclass(frozen=True)
class Made:
    """A recipe's file; `parity`: how far its answers are from what was trained."""

    path: Path
    sha256: str
    parity: float
    trained: Trained
    seed: int


@dataclass(frozen=True)
class PublishedClips:
    """On judged groups: `auc` is None where they lack a class; `accuracy` is at .5."""

    name: str
    folder: Path
    auc: Measured | None
    accuracy: float
    clips: int


def measured(
    name: str, out: Path, items: Sequence[Item], judged: NDArray[np.int64], scores: NDArray[np.float64]
) -> PublishedClips:
    """`scores`: P(fake) of the judged clips."""
    fake = np.array([items[i].fake for i in judged], np.bool_)
    both = len(set(fake.tolist())) == 2
    pooled = bootstrap(auc, scores, fake, [items[i].group for i in judged]) if both else None
    right = float(((scores > 0.5) == fake).mean()) if len(fake) else 0.5
    return PublishedClips(name, out, pooled, right, len(fake))


def publish(
    made: Made,
    words: Words,
    root: Path,
    items: Sequence[Item],
    judged: NDArray[np.int64],
    scores: NDArray[np.float64],
    out: Path,
) -> PublishedClips:
    """`root`: what the items' paths are relative to."""
    result = measured(words.name, out, items, judged, scores)
    today = datetime.datetime.now(datetime.UTC).date().isoformat()
    learned.write(made.path, root, items)
    sets = sorted({item.dataset for item in items})
    metrics = {"auc_clips": result.auc.value} if result.auc else {}
    (out / "weights" / "manifest.toml").write_text(cards.manifest(words, made.sha256, sets, metrics), encoding="utf-8")
    cards.log_run(out, words, today, made.seed, made.trained, result.auc, made.sha256)
    (out / "cards" / f"{words.name}.md").write_text(_card(made, words, items, result, today), encoding="utf-8")
    write_metrics(made, result, out)
    return result


def write_metrics(made: Made, result: PublishedClips, out: Path) -> None:
    told = {
        "name": result.name,
        "seed": made.seed,
        "sha256": made.sha256,
        "parity": made.parity,
        "training": asdict(made.trained),
        "clips": result.clips,
        "auc": asdict(result.auc) if result.auc else None,
        "accuracy": result.accuracy,
    }
    (out / "metrics.json").write_text(json.dumps(told, indent=1) + "\n", encoding="utf-8")


def _card(made: Made, words: Words, items: Sequence[Item], result: PublishedClips, today: str) -> str:
    blind = "\n".join(f"- {line}" for line in words.blind)
    return f"""# {words.title} {words.version}

{words.what} Trained on {today}.

## What it learned from

{cards.table(items)}

Clips; groups (a video, an original, a person) are never torn apart. {made.trained.images:,} augmented faces in
{made.trained.seconds / 60:.0f} minutes, seed {made.seed}. {words.landmarks}

## How well

On {result.clips} clips of groups that were not learned from, which also chose the moment that was kept: AUC
{result.auc or "-"}, {result.accuracy:.0%} right at .5.

## Where it fails

{blind}

ONNX against the trained network: largest difference {made.parity:.1e}. sha256 `{made.sha256}`.
"""
