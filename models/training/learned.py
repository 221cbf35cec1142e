"""Which pictures and groups a detector's weights come from, as hashes beside them: what must not calibrate it.

`<weights>.learned` holds the first six bytes of sha256 of every file and every group that was learned from, or by which
the best moment was chosen; 20,000 pictures take 200 KB, and no picture or name can be read back.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from pathlib import Path

from models.training.crops import Item
from models.training.split import part_of

WIDTH = 6
ENDING = ".learned"


def write(weights: Path, root: Path, items: Sequence[Item]) -> None:
    """Of the items, those of the parts that trained and that chose; `root`: what their paths are relative to."""
    used = [item for item in items if part_of(item.group) != "calibrate"]
    files = [path for item in used if (path := root / item.path).is_file()]
    marks = {of_group(item.group) for item in used} | {of_file(path) for path in files}
    weights.with_suffix(ENDING).write_bytes(b"".join(sorted(marks)))


def read(weights: Path) -> frozenset[bytes] | None:
    """None where nobody recorded it."""
    path = weights.with_suffix(ENDING)
    if not path.is_file():
        return None
    content = path.read_bytes()
    return frozenset(content[i : i + WIDTH] for i in range(0, len(content), WIDTH))


def of_group(group: str) -> bytes:
    return hashlib.sha256(b"group\0" + group.encode()).digest()[:WIDTH]


def of_file(path: Path) -> bytes:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").digest()[:WIDTH]


def seen(marks: Iterable[frozenset[bytes] | None], group: str, path: Path) -> bool:
    """Whether any of these records holds the file or its group."""
    known = [some for some in marks if some]
    if any(of_group(group) in some for some in known):
        return True
    if not known or not path.is_file():
        return False
    mark = of_file(path)
    return any(mark in some for some in known)
