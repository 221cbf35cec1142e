"""Which files of a folder are pictures or videos, by name: what a damaged one is, judging it says."""

from __future__ import annotations

from pathlib import Path

PICTURES = frozenset((".jpg", ".jpeg", ".png", ".webp", ".gif", ".avif", ".bmp", ".tif", ".tiff"))
CLIPS = frozenset((
    ".mp4", ".m4v", ".mov", ".webm", ".mkv", ".avi", ".mpg", ".mpeg", ".ts", ".flv", ".ogv", ".wmv",
))  # fmt: skip


def media_below(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.suffix.lower() in PICTURES | CLIPS and path.is_file())
