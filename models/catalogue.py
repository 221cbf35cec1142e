"""What `GET /api/v1/models` shows: every detector, installed or not, with its card. Standard library only.

The web process calls this, and must stay free of numpy, OpenCV and ONNX Runtime.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from models import manifest, registry
from models.manifest import Entry

CARDS = Path(__file__).parent / "cards"


def catalogue() -> list[dict[str, Any]]:
    entries, have = manifest.read(), set(registry.installed())
    return [_described(name, entries.get(name), name in have) for name in registry.names()]


def card(name: str, found: Entry | None = None) -> str:
    """The card beside the detector's weights where an import wrote one, else the one that ships."""
    local = found.folder / f"{name}.md" if found else None
    path = local if local and local.is_file() else CARDS / f"{name}.md"
    return path.read_text(encoding="utf-8") if path.is_file() else ""


def _described(name: str, found: Entry | None, installed: bool) -> dict[str, Any]:
    return {
        "name": name,
        "version": found.version if found else None,
        "title": found.title if found else name,
        "installed": installed,
        "status": "installed" if installed else f"not installed: {registry.line(name).weights}",
        "kinds": list(found.kinds) if found else [],
        "sha256": found.digest if found else None,
        "licence": found.licence if found else None,
        "trained_on": found.trained_on if found else None,
        "metrics": dict(found.metrics) if found else {},
        "card": card(name, found),
    }
