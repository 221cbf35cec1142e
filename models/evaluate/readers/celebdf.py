"""Celeb-DF-v2, with its list of videos to test on. In that list **1 means real**.

    List_of_testing_videos.txt: "1 YouTube-real/00170.mp4", "0 Celeb-synthesis/id1_id0_0007.mp4", ...

The person whose video it is makes the group: id1 of Celeb-real/id1_0007.mp4 and Celeb-synthesis/id1_id0_0007.mp4.
"""

from __future__ import annotations

from pathlib import Path

from models.errors import DatasetError
from models.evaluate.readers.media import media_below
from models.evaluate.samples import Sample

LAYOUT = "Celeb-DF-v2 (List_of_testing_videos.txt)"
LIST = "List_of_testing_videos.txt"
REAL = "1"
FOLDERS = {"Celeb-real": False, "YouTube-real": False, "Celeb-synthesis": True}


def recognises(path: Path) -> bool:
    return (path / LIST).is_file()


def read(path: Path, testing: bool) -> list[Sample]:
    if testing:
        return [_sample(path, name, fake) for name, fake in _listed(path / LIST)]
    return [
        _sample(path, file.relative_to(path).as_posix(), fake)
        for folder, fake in FOLDERS.items()
        for file in media_below(path / folder)
    ]


def _listed(listing: Path) -> list[tuple[str, bool]]:
    lines = [line.split(maxsplit=1) for line in listing.read_text(encoding="utf-8").splitlines() if line.strip()]
    for number, line in enumerate(lines, 1):
        if len(line) != 2 or line[0] not in ("0", "1"):
            raise DatasetError(f"{listing}, line {number}: it must read like `1 YouTube-real/00170.mp4`.")
    return [(name.strip(), label != REAL) for label, name in lines]


def _sample(root: Path, name: str, fake: bool) -> Sample:
    folder, stem = Path(name).parent.name, Path(name).stem
    person = stem.split("_")[0] if folder.startswith("Celeb") else f"{folder}/{stem}"
    return Sample(name, root / name, fake, f"celeb-df:{person}", "face_swap" if fake else "", "celeb-df-v2")
