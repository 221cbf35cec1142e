"""Puts an imported network beside what ships: models/weights/local gets its files, its table and its card."""

from __future__ import annotations

import hashlib
import json
import shutil
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from models import manifest
from models.errors import NotInstalled

IMPORTED = "-imported-"  # files an operator put here by hand are named otherwise, and are never taken away
HEADING = "# What was imported or dropped in here; it takes the place of what ships. Format: models/manifest.py.\n"


def folder() -> Path:
    made = manifest.WEIGHTS / manifest.LOCAL
    made.mkdir(parents=True, exist_ok=True)
    return made


def sha256_of(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def keep(path: Path, name: str) -> tuple[str, str]:
    """Move (or copy from elsewhere) a file into the folder, named after its content: (file, sha256)."""
    sha256 = sha256_of(path)
    file = f"{name}{IMPORTED}{sha256[:12]}{path.suffix}"
    if path.parent == folder():
        path.replace(folder() / file)
    else:
        shutil.copyfile(path, folder() / file)
    return file, sha256


def install(name: str, table: Mapping[str, Any], card: str) -> manifest.Entry:
    """Write table and card, take away imported files that no table names any more."""
    (folder() / f"{name}.md").write_text(card, encoding="utf-8")
    _write({**_tables(), name: dict(table)})
    return manifest.read()[name]


def remove(name: str) -> None:
    """What ships under that name, if anything, is used again."""
    tables = _tables()
    if tables.pop(name, None) is None:
        raise NotInstalled(f"Nothing was imported as {name}.")
    for told in (f"{name}.md", f"{name}.json"):
        (folder() / told).unlink(missing_ok=True)
    _write(tables)


def _tables() -> dict[str, Any]:
    path = folder() / manifest.FILE
    return tomllib.loads(path.read_text(encoding="utf-8")) if path.exists() else {}


def _write(tables: Mapping[str, Mapping[str, Any]]) -> None:
    path = folder() / manifest.FILE
    unfinished = path.with_suffix(".partial")
    unfinished.write_text(HEADING + "".join(_table(key, value) for key, value in tables.items()), encoding="utf-8")
    unfinished.replace(path)
    used = {file for entry in manifest.read().values() if entry.folder == folder() for file in entry.files()}
    for file in folder().glob(f"*{IMPORTED}*"):
        if file.with_suffix(".onnx").name not in used:
            file.unlink()


def _table(name: str, values: Mapping[str, Any]) -> str:
    return f"\n[{name}]\n" + "".join(f"{key} = {_value(value)}\n" for key, value in values.items())


def _value(value: Any) -> str:
    if isinstance(value, Mapping):
        return "{ " + ", ".join(f"{key} = {_value(inner)}" for key, inner in value.items()) + " }"
    if isinstance(value, Sequence) and not isinstance(value, str):
        return "[" + ", ".join(_value(inner) for inner in value) + "]"
    return json.dumps(value, ensure_ascii=False)  # TOML writes texts, numbers and truth values as JSON does
