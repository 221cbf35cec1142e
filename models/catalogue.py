"""What `GET /api/v1/models` shows: every detector, installed or not, with its card. Standard library only.

The web process calls this, and must stay free of numpy, OpenCV and ONNX Runtime.
"""

from __future__ import annotations

import json
import shlex
from pathlib import Path
from typing import Any

from models import manifest, registry
from models.manifest import Entry

CARDS = Path(__file__).parent / "cards"
_TOLD = " --input-size SIDE --fake-is high|low"
IMPORTERS = {  # by a file's ending: the name it is imported under, and what has to be told besides
    ".pt": ("sequence", ""),
    ".pth": ("sequence", ""),
    ".h5": ("efficientnet", _TOLD),
    ".hdf5": ("efficientnet", _TOLD),
    ".keras": ("efficientnet", _TOLD),
    ".onnx": ("NAME", _TOLD),
}


def catalogue() -> list[dict[str, Any]]:
    entries, have = manifest.read(), set(registry.installed())
    return [_described(name, entries.get(name), name in have) for name in registry.names()]


def unimported() -> list[dict[str, str]]:
    """Weights that lie in the folder and that nothing uses. Only their names are looked at."""
    folders = (manifest.WEIGHTS, manifest.WEIGHTS / manifest.LOCAL)
    entries = [entry for folder in folders for entry in manifest.read_one(folder).values()]  # replaced ones, too
    used = {entry.folder / file for entry in entries for file in entry.files()}
    sources = " ".join(entry.source for entry in entries)  # an imported file may stay where it was
    found = [path for folder in folders if folder.is_dir() for path in sorted(folder.iterdir())]
    return [
        {"file": path.name, "status": f"not imported: `{_command(path)}`"}
        for path in found
        if path.suffix.lower() in IMPORTERS and path not in used and f" {path.name}" not in sources
    ]


def _command(path: Path) -> str:
    name, more = IMPORTERS[path.suffix.lower()]
    if "meso" in path.name.lower():
        name, more = ("mesoinception4" if "inception" in path.name.lower() else "meso4"), ""
    shown = path.relative_to(manifest.WEIGHTS.parents[1])
    return f"unmask models import {name} {shlex.quote(str(shown))}{more}"


def card(name: str, found: Entry | None = None) -> str:
    """The card beside the detector's weights where an import wrote one, else the one that ships."""
    local = found.folder / f"{name}.md" if found else None
    path = local if local and local.is_file() else CARDS / f"{name}.md"
    return path.read_text(encoding="utf-8") if path.is_file() else ""


def _title(name: str, card: str) -> str:
    """A detector without weights has no manifest entry: its card's heading names it."""
    heading = card.partition("\n")[0]
    return heading.removeprefix("# ") if heading.startswith("# ") else name


def details(name: str, found: Entry) -> dict[str, Any] | None:
    """Figures, curves and layers that an evaluation put beside the weights, as long as they are those it judged."""
    path = found.folder / f"{name}.json"
    if not path.is_file():
        return None
    told: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return told if told["sha256"] == found.digest else None


def _described(name: str, found: Entry | None, installed: bool) -> dict[str, Any]:
    text = card(name, found)
    return {
        "name": name,
        "version": found.version if found else None,
        "title": found.title if found else _title(name, text),
        "installed": installed,
        "status": "installed" if installed else f"not installed: {registry.line(name).weights}",
        "kinds": list(found.kinds) if found else [],
        "sha256": found.digest if found else None,
        "licence": found.licence if found else None,
        "trained_on": found.trained_on if found else None,
        "metrics": dict(found.metrics) if found else {},
        "card": text,
        "details": details(name, found) if found else None,
    }
