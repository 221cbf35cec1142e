"""A CSV `path,label,group,method`: group, method and set may be missing, age, gender and origin may be there.

Paths are relative to the table. Of a folder, its own index.csv is read, or the lines of its parent's that lie in it.
"""

from __future__ import annotations

import csv
from pathlib import Path

from models.errors import DatasetError
from models.evaluate.samples import Sample, traits_of

LAYOUT = "a CSV with the columns path,label,group,method"
INDEX = "index.csv"
LABELS = {"real": False, "fake": True}


def recognises(path: Path) -> bool:
    return _found(path) is not None


def read(path: Path, testing: bool) -> list[Sample]:
    table = _found(path)
    assert table is not None, "recognised before"
    try:
        with table.open(newline="", encoding="utf-8-sig") as file:
            rows = csv.DictReader(file)
            lacking = {"path", "label"} - set(rows.fieldnames or ())
            if lacking:
                columns = ", ".join(sorted(lacking))
                raise DatasetError(f"{table} lacks the columns {columns}. Needed are path and label.")
            samples = [_sample(row, f"{table}, line {rows.line_num}", table.parent) for row in rows]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise DatasetError(f"{table} cannot be read as a table ({error}).") from error
    inside = path.relative_to(table.parent).as_posix() + "/" if path.is_dir() and path != table.parent else ""
    return [sample for sample in samples if sample.name.startswith(inside)]


def _found(path: Path) -> Path | None:
    if path.is_file():
        return path if path.suffix.lower() == ".csv" else None
    own, parents = path / INDEX, path.parent / INDEX
    if own.is_file():
        return own
    return parents if parents.is_file() and _lists(parents, path.name) else None


def _lists(table: Path, folder: str) -> bool:
    with table.open(newline="", encoding="utf-8-sig", errors="replace") as file:
        return any((row.get("path") or "").startswith(f"{folder}/") for row in csv.DictReader(file))


def _sample(row: dict[str, str | None], where: str, root: Path) -> Sample:
    path, label = row["path"], (row["label"] or "").strip().lower()
    if not path:
        raise DatasetError(f"{where}: the path is empty.")
    if label not in LABELS:
        raise DatasetError(f"{where}: the label is {row['label']!r}; it must be real or fake.")
    parts = Path(path).parts
    dataset = row.get("set") or row.get("dataset") or (parts[0] if len(parts) > 1 else root.resolve().name)
    group = row.get("group") or path
    return Sample(path, root / path, LABELS[label], group, row.get("method") or "", dataset, traits_of(path, row))
