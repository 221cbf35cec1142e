"""A model card with the measured numbers, the manifest entry, and one line in the log of runs."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from models.calibrate import Calibration
from models.evaluate.crops import SetResult
from models.evaluate.metrics import Measured
from models.training.crops import Item
from models.training.plan import Trained
from models.training.split import part_of


@dataclass(frozen=True)
class Words:
    """What numbers cannot say of a detector. `blind`: a list item each."""

    name: str
    title: str
    version: str
    what: str
    source: str
    learned: str  # after the table of its sets
    blind: Sequence[str]
    kinds: Sequence[str] = ("face_swap",)
    landmarks: str = (
        "Faces are aligned by dlib's 68-point model, whose training data (iBUG 300-W) excludes commercial use."
    )


@dataclass(frozen=True)
class Calibrated:
    """`alarms`, `found`: share of genuine and of manipulated judged items that the rule for "likely" flags."""

    calibration: Calibration
    error: float
    alarms: float
    found: float


@dataclass(frozen=True)
class Facts:
    sha256: str
    parity: float
    trained: Trained
    seed: int
    date: str
    items: Sequence[Item]
    seen: Sequence[SetResult]
    pooled: Measured | None  # None: judged groups of one class alone
    recompressed: Measured | None
    unseen: Sequence[SetResult]
    calibrated: Calibrated | None  # None: too few genuine faces were held out


def write(facts: Facts, words: Words, out: Path) -> None:
    log_run(out, words, facts.date, facts.seed, facts.trained, facts.pooled, facts.sha256)
    (out / "cards" / f"{words.name}.md").write_text(_card(facts, words), encoding="utf-8")
    sets = sorted({item.dataset for item in facts.items})
    aucs = {f"auc_{result.name}": result.auc.value for result in [*facts.seen, *facts.unseen] if result.auc}
    (out / "weights" / "manifest.toml").write_text(manifest(words, facts.sha256, sets, aucs), encoding="utf-8")
    (out / "metrics.json").write_text(json.dumps(_metrics(facts, words), indent=1) + "\n", encoding="utf-8")


def log_run(
    out: Path, words: Words, date: str, seed: int, trained: Trained, pooled: Measured | None, sha256: str
) -> None:
    (out / "cards").mkdir(parents=True, exist_ok=True)
    with (out / "cards" / "runs.md").open("a", encoding="utf-8") as runs:
        if runs.tell() == 0:
            runs.write("# Runs\n\n| date | detector | seed | images | minutes | AUC, judged groups | sha256 |\n")
            runs.write("|---|---|---|---|---|---|---|\n")
        runs.write(
            f"| {date} | {words.name} {words.version} | {seed} | {trained.images:,} "
            f"| {trained.seconds / 60:.0f} | {pooled or '-'} | `{sha256[:12]}` |\n"
        )


def _metrics(facts: Facts, words: Words) -> dict[str, Any]:
    known = facts.calibrated
    return {
        "name": words.name,
        "version": words.version,
        "date": facts.date,
        "seed": facts.seed,
        "sha256": facts.sha256,
        "parity": facts.parity,
        "training": asdict(facts.trained),
        "auc": asdict(facts.pooled) if facts.pooled else None,
        "auc_jpeg_50": asdict(facts.recompressed) if facts.recompressed else None,
        "sets": [asdict(result) for result in facts.seen],
        "sets_not_learned_from": [asdict(result) for result in facts.unseen],
        "calibration": {"error": known.error, "alarms": known.alarms, "found": known.found} if known else None,
    }


def manifest(words: Words, sha256: str, sets: Sequence[str], metrics: Mapping[str, float]) -> str:
    """`sets`: what was learned from."""
    numbers = ", ".join(f"{_key(name)} = {value:.3f}" for name, value in metrics.items())
    return f"""# What ships in this folder. One table a detector; written by training, read by models/manifest.py.
[{words.name}]
file = "{words.name}.onnx"
sha256 = "{sha256}"
version = "{words.version}"
title = "{words.title}"
licence = "Apache-2.0 (network and code); trained on research-only face sets, see the card"
source = "{words.source}"
trained_on = {json.dumps(", ".join(sets), ensure_ascii=False)}
kinds = [{", ".join(f'"{kind}"' for kind in words.kinds)}]
input_size = 256
colour_order = "rgb"
value_range = "0-255"
polarity = "high is fake"
metrics = {{ {numbers} }}
"""


def _key(name: str) -> str:
    """A data set is named by its folder, and that may be called anything."""
    return name if re.fullmatch(r"[A-Za-z0-9_-]+", name) else json.dumps(name)


def _card(facts: Facts, words: Words) -> str:
    blind = "\n".join(f"- {line}" for line in words.blind)
    return f"""# {words.title} {words.version}

{words.what} Trained on {facts.date}.

## What it learned from

{table(facts.items)}

Groups (a video, an original, a person) are never torn apart: 70 % train, 15 % choose the best moment and measure, 15 %
calibrate. {_of_dfdc(facts.items)}{sum(item.how == "margin" for item in facts.items)} of {len(facts.items):,} \
crops were cut without landmarks. {facts.trained.images:,} augmented crops in {facts.trained.seconds / 60:.0f} \
minutes, seed {facts.seed}. Both
classes got the same scaling, blur, colour shifts and JPEG/WebP recompression.{words.learned}

The sets are for research only; Unmask claims no licence to redistribute them, and no picture of them is in this
repository. {words.landmarks}

## How well

AUC with 95 % bootstrap interval over groups. The groups below also chose which moment of the training was kept, so
these numbers are a little kind. `TPR` is the share of fakes found where 5 % of that set's genuine faces are flagged.

{_results(facts.seen)}

All of them together: {facts.pooled or "-"}. After JPEG at quality 50 (1,000 crops): {facts.recompressed or "-"}.

Sets it never learned from:

{_results(facts.unseen)}

## Calibration

{_calibration(facts.calibrated)}

## Where it fails

{blind}

ONNX against the trained network: largest difference {facts.parity:.1e}. sha256 `{facts.sha256}`.
"""


def _of_dfdc(items: Sequence[Item]) -> str:
    if all(item.dataset != "dfdc_train" for item in items):
        return ""
    return "In DFDC the same actors recur in several originals, so its numbers hold for new videos only. "


def _calibration(known: Calibrated | None) -> str:
    if known is None:
        return "None: too few genuine faces were held out. It is shown with weight 0 till a calibration knows it."
    calibration = known.calibration
    fakes = sum(map(len, calibration.fake.values()))
    return f"""Platt scaling on {len(calibration.real):,} genuine and {fakes:,} manipulated faces of groups used for
nothing else ({calibration.dataset}). On the measured groups: expected calibration error {known.error:.3f}
at equal shares; the rule for "likely" (p <= {calibration.likely_p}) flags {known.alarms:.1%} of genuine and \
{known.found:.1%} of manipulated faces."""


def table(items: Sequence[Item]) -> str:
    counts = Counter((item.dataset, part_of(item.group), item.fake) for item in items)
    lines = ["| set | train real / fake | measure real / fake | calibrate real / fake |", "|---|---|---|---|"]
    for name in sorted({item.dataset for item in items}):
        cells = [
            f"{counts[name, part, False]:,} / {counts[name, part, True]:,}" for part in ("train", "judge", "calibrate")
        ]
        lines.append(f"| {name} | {' | '.join(cells)} |")
    return "\n".join(lines)


def _results(results: Sequence[SetResult]) -> str:
    if not results:
        return "(not measured in this run)"
    lines = ["| set | real / fake | AUC | TPR |", "|---|---|---|---|"]
    for result in results:
        tpr = "-" if result.tpr is None else f"{result.tpr:.2f}"
        lines.append(f"| {result.name} | {result.reals:,} / {result.fakes:,} | {result.auc or '-'} | {tpr} |")
    return "\n".join(lines)
