"""Folders real/ and fake/, alone or one pair a data set. A sub-folder of theirs is one group: a person, a video."""

from __future__ import annotations

from pathlib import Path

from models.evaluate.readers.media import media_below
from models.evaluate.samples import Sample, traits_of

LAYOUT = "folders real/ and fake/"
LABELS = {"real": False, "fake": True}


def recognises(path: Path) -> bool:
    return bool(_sets(path))


def read(path: Path, testing: bool) -> list[Sample]:
    return [
        _sample(file, file.relative_to(part), folder, path, fake)
        for folder in _sets(path)
        for label, fake in LABELS.items()
        if (part := folder / label).is_dir()
        for file in media_below(part)
    ]


def _sets(path: Path) -> list[Path]:
    if not path.is_dir():
        return []
    candidates = [path, *sorted(folder for folder in path.iterdir() if folder.is_dir() and folder.name not in LABELS)]
    return [folder for folder in candidates if any((folder / label).is_dir() for label in LABELS)]


def _sample(file: Path, inside: Path, folder: Path, root: Path, fake: bool) -> Sample:
    name = file.relative_to(root).as_posix()
    group = inside.parts[0] if len(inside.parts) > 1 else inside.stem
    dataset = folder.resolve().name
    return Sample(name, file, fake, f"{dataset}:{group}", "", dataset, traits_of(inside.name))
