"""What `GET /api/v1/models` shows: every detector, installed or not, with its card. Standard library only.

The web process calls this, and must stay free of numpy, OpenCV and ONNX Runtime.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from models.errors import UnknownDetector, WeightsError
from models.registry import DETECTORS

WEIGHTS = Path(__file__).parent / "weights"
CARDS = Path(__file__).parent / "cards"


@dataclass(frozen=True)
class Entry:
    """One detector's paragraph of manifest.toml."""

    name: str
    file: str
    sha256: str
    version: str
    title: str
    licence: str
    source: str = ""
    trained_on: str = ""
    kinds: tuple[str, ...] = ()
    input_size: int = 256
    colour_order: str = "rgb"
    value_range: str = "0-255"
    polarity: str = "high is fake"
    metrics: dict[str, Any] = field(default_factory=dict)


def manifest(folder: Path = WEIGHTS) -> dict[str, Entry]:
    """manifest.toml: one table for each weights file, named after its detector."""
    path = folder / "manifest.toml"
    if not path.exists():
        return {}
    try:
        tables = tomllib.loads(path.read_text(encoding="utf-8"))
        return {name: Entry(name=name, **{**table, "kinds": tuple(table["kinds"])}) for name, table in tables.items()}
    except (tomllib.TOMLDecodeError, TypeError, KeyError) as error:
        raise WeightsError(f"{path.name} is not understood ({error}). Install the weights again.") from error


def entry(name: str, folder: Path = WEIGHTS) -> Entry:
    entries = manifest(folder)
    if name not in entries:
        raise WeightsError(f"No weights for {name} are installed. Train them with: unmask train {name}")
    return entries[name]


def catalogue(folder: Path = WEIGHTS, cards: Path = CARDS) -> list[dict[str, Any]]:
    entries = manifest(folder)
    return [_described(name, entries.get(name), folder, cards) for name in DETECTORS]


def card(name: str, cards: Path = CARDS) -> str:
    if name not in DETECTORS:
        raise UnknownDetector(f"There is no detector {name!r}. Choose from: {', '.join(DETECTORS)}.")
    path = cards / f"{name}.md"
    return path.read_text(encoding="utf-8") if path.exists() else ""


def _described(name: str, found: Entry | None, folder: Path, cards: Path) -> dict[str, Any]:
    installed = found is not None and (folder / found.file).exists()
    return {
        "name": name,
        "version": found.version if found else None,
        "title": found.title if found else name,
        "installed": installed,
        "status": "installed" if installed else f"not installed: train it with `unmask train {name}`",
        "kinds": list(found.kinds) if found else [],
        "sha256": found.sha256 if found else None,
        "licence": found.licence if found else None,
        "trained_on": found.trained_on if found else None,
        "metrics": found.metrics if found else {},
        "card": card(name, cards),
    }
