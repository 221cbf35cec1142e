"""DFDC: a metadata.json beside the videos, in the folder itself or in each of its parts.

    {"aagfhgtpmv.mp4": {"label": "FAKE", "split": "train", "original": "vudstovrck.mp4"}, ...}     the training parts
    {"aalscayrfi.mp4": {"is_fake": 1, ...}, ...}                                                   the test part

A fake and the original it was made of are one group.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from models.errors import DatasetError
from models.evaluate.samples import Sample

LAYOUT = "DFDC (metadata.json)"
METADATA = "metadata.json"


def recognises(path: Path) -> bool:
    return bool(_listings(path))


def read(path: Path, testing: bool) -> list[Sample]:
    return [
        _sample(path, listing.parent / name, entry, listing)
        for listing in _listings(path)
        for name, entry in _entries(listing).items()
    ]


def _listings(path: Path) -> list[Path]:
    own = path / METADATA
    return [own] if own.is_file() else sorted(path.glob(f"*/{METADATA}"))


def _entries(listing: Path) -> dict[str, Any]:
    try:
        entries: dict[str, Any] = dict(json.loads(listing.read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError) as error:
        raise DatasetError(f"{listing} is not understood ({error}).") from error
    for name, entry in entries.items():
        if not isinstance(entry, dict) or Path(name).name != name:  # a file of that very folder
            raise DatasetError(f"{listing} is not understood (at {name!r}).")
    return entries


def _sample(root: Path, file: Path, entry: Mapping[str, Any], listing: Path) -> Sample:
    label = entry.get("label") or {1: "FAKE", 0: "REAL"}.get(entry.get("is_fake", -1))
    if label not in ("FAKE", "REAL"):
        raise DatasetError(f"{listing}: {file.name} has neither label FAKE or REAL nor is_fake 0 or 1.")
    fake = label == "FAKE"
    group = Path(str(entry.get("original") or file.name)).stem
    return Sample(
        name=file.relative_to(root).as_posix(),
        path=file,
        fake=fake,
        group=f"dfdc:{group}",
        method="dfdc" if fake else "",
        dataset="dfdc_train" if entry.get("split") == "train" else "dfdc_test",
    )
