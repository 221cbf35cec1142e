"""One evaluation from a path to metrics.json: read, limit, judge, measure, and write what is wanted."""

from __future__ import annotations

import json
from collections.abc import Collection
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from models import manifest, registry
from models.errors import DatasetError
from models.evaluate import readers
from models.evaluate.changes import CHANGES
from models.evaluate.judges import Crops, Files, Judge
from models.evaluate.measure import measure
from models.evaluate.report import Section, markdown, sections
from models.evaluate.run import Labeller, run
from models.evaluate.samples import Sample, held_out, limited, traits_of
from models.manifest import Entry
from models.plots.charts import png
from models.training import shard

ITEMS, METRICS, REPORT, PLOTS = "items.jsonl", "metrics.json", "report.md", "plots"


@dataclass(frozen=True)
class Wish:
    """`held_out`: only what no detector learned from or was calibrated on. `changed`: the degradations as well."""

    path: Path
    detectors: tuple[str, ...] | None = None
    calibration: Path | None = None
    limit: int | None = None
    held_out: bool = False
    changed: bool = False
    finder: str = registry.DEFAULT_FINDER
    workers: int = 2
    threads: int = 1


def evaluate(wish: Wish, label: Labeller, out: Path | None) -> dict[str, Any]:
    """The content of metrics.json. `out` keeps every result as it comes; a later run with the same goes on from it."""
    if out:
        out.mkdir(parents=True, exist_ok=True)
    prepared = shard.read_prepared(wish.path) if shard.is_prepared(wish.path) else None
    with closing(_judge(wish, prepared)) as judge:
        entries = {name: entry for name, entry in manifest.read().items() if name in judge.detectors}
        samples = _wanted(wish, prepared, entries.values())
        changes = tuple(CHANGES) if wish.changed else ()
        results = run(samples, judge, label, changes, out / ITEMS if out else None, wish.workers)
    measured = measure(samples, results, judge.detectors, entries)
    if all(result.error for result in results):
        why = ", ".join(f"{number:,} {code}" for code, number in measured["errors"].items())
        raise DatasetError(f"None of the {len(samples):,} files could be read: {why}.")
    told = {
        "path": wish.path.resolve().name,
        "date": datetime.now(UTC).date().isoformat(),
        "pipeline": judge.pipeline,
        "calibration": judge.calibration.id,
        "weights": {name: entry.digest for name, entry in entries.items()},
        "about": _about(wish, prepared is not None),
    }
    return told | measured


def _judge(wish: Wish, prepared: shard.Shard | None) -> Judge:
    if prepared:
        return Crops(prepared, wish.detectors, wish.calibration, wish.threads)
    return Files(wish.detectors, wish.calibration, wish.threads, wish.finder)


def _wanted(wish: Wish, prepared: shard.Shard | None, entries: Collection[Entry]) -> list[Sample]:
    samples = _of_shard(wish.path, prepared) if prepared else readers.read(wish.path)
    if wish.held_out:
        samples = held_out(samples, entries)
    if not samples:
        raise DatasetError(f"Nothing in {wish.path} was held out: the detectors learned from all of it.")
    return limited(samples, wish.limit) if wish.limit else samples


def _of_shard(folder: Path, prepared: shard.Shard) -> list[Sample]:
    return [
        Sample(item.path, folder / item.path, item.fake, item.group, item.method, item.dataset, traits_of(item.path))
        for item in prepared.items
    ]


def _about(wish: Wish, prepared: bool) -> str:
    parts = ["Prepared faces, one an item: nothing was looked for." if prepared else "Whole files, as a check does it."]
    if wish.held_out:
        parts.append("Only what no detector learned from or was calibrated on.")
    if wish.limit:
        parts.append(f"At most {wish.limit:,} of each label in each set.")
    return " ".join(parts)


def write(metrics: dict[str, Any], out: Path) -> list[Section]:
    """metrics.json, report.md and the plots as PNG; the sections are what the HTML page is made of."""
    (out / METRICS).write_text(json.dumps(metrics, indent=1) + "\n", encoding="utf-8")
    made = sections(metrics)
    (out / REPORT).write_text(markdown(title(metrics), made, PLOTS), encoding="utf-8")
    (out / PLOTS).mkdir(exist_ok=True)
    for section in made:
        for name, plot in section.plots.items():
            (out / PLOTS / f"{name}.png").write_bytes(png(plot))
    return made


def title(metrics: dict[str, Any]) -> str:
    return f"Evaluation on {metrics['path']}, {metrics['date']}"
