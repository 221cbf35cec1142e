"""Labelled media as people have it: one file a layout, told apart by what lies in the folder."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

from models.errors import DatasetError
from models.evaluate.readers import celebdf, dfdc, faceforensics, folders, table
from models.evaluate.samples import Sample


class Reader(Protocol):
    """A module of this folder. `testing`: where the authors name a part to test on, that part alone."""

    LAYOUT: str

    def recognises(self, path: Path) -> bool: ...

    def read(self, path: Path, testing: bool) -> list[Sample]: ...


# In this order: a table beside the files says more than the folders' names.
READERS: list[Reader] = [faceforensics, celebdf, dfdc, table, folders]


def read(path: Path, testing: bool = True) -> list[Sample]:
    if not path.exists():
        raise DatasetError(f"There is no file or folder {path}.")
    for reader in READERS:
        if reader.recognises(path):
            samples = reader.read(path, testing)
            if not samples:
                raise DatasetError(f"{path} looks like {reader.LAYOUT}, but lists no picture and no video.")
            return samples
    known = "; ".join(reader.LAYOUT for reader in READERS)
    raise DatasetError(f"{path} is none of the layouts that are known: {known}.")
