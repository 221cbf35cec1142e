"""FaceForensics++ as its download script lays it out, with its split files: train.json, val.json, test.json.

    original_sequences/youtube/c23/videos/000.mp4
    manipulated_sequences/Deepfakes/c23/videos/000_003.mp4
    test.json: [["071", "054"], ...]         (in the folder itself or in splits/)

Each compression is a set of its own; a pair of originals with the fakes made of it is one group.
"""

from __future__ import annotations

import json
from pathlib import Path

from models.errors import DatasetError
from models.evaluate.readers.media import media_below
from models.evaluate.samples import Sample

LAYOUT = "FaceForensics++ (original_sequences/, manipulated_sequences/, test.json)"
REAL, FAKE = "original_sequences", "manipulated_sequences"
SPLITS = ("train", "val", "test")


def recognises(path: Path) -> bool:
    return (path / REAL).is_dir() or (path / FAKE).is_dir()


def read(path: Path, testing: bool) -> list[Sample]:
    pairs = {split: _pairs(path, split) for split in SPLITS}
    wanted = pairs["test"] if testing else [pair for split in SPLITS for pair in pairs[split]]
    if not wanted:
        raise DatasetError(f"{path} lacks test.json: the split files of FaceForensics++ go beside its folders.")
    group = {one: "_".join(sorted(pair)) for pair in wanted for one in pair}
    return [
        Sample(
            name=file.relative_to(path).as_posix(),
            path=file,
            fake=part == FAKE,
            group=f"ff++:{group[file.stem.split('_')[0]]}",
            method=method.name if part == FAKE else "",
            dataset=f"ff++ {compression.name}",
        )
        for part in (REAL, FAKE)
        for method in _folders(path / part)
        for compression in _folders(method)
        for file in media_below(compression)
        if file.stem.split("_")[0] in group
    ]


def _pairs(path: Path, split: str) -> list[list[str]]:
    for file in (path / f"{split}.json", path / "splits" / f"{split}.json"):
        if file.is_file():
            try:
                return [[str(one) for one in pair] for pair in json.loads(file.read_text(encoding="utf-8"))]
            except (OSError, ValueError, TypeError) as error:
                raise DatasetError(f'{file} is no list of pairs like [["071", "054"]] ({error}).') from error
    return []


def _folders(path: Path) -> list[Path]:
    return sorted(folder for folder in path.iterdir() if folder.is_dir()) if path.is_dir() else []
