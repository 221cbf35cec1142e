"""What is evaluated: labelled files (or prepared crops), with what else is known of each."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from models.manifest import Entry
from models.training import learned
from models.training.split import part_of

Used = Literal["learned from", "chosen by", "calibrated on", "not used"]
Traits = Mapping[str, str]

# utk_<age>_<gender>_<origin>_..., the labels of UTKFace.
_UTK = re.compile(r"utk_(\d{1,3})_([01])_([0-4])_")
_GENDERS = ("male", "female")
_ORIGINS = ("White", "Black", "Asian", "Indian", "other")
_AGES = ((18, "under 18"), (40, "18-39"), (60, "40-59"))
_OLDEST = "60 and over"
TRAITS = ("age", "gender", "origin")


@dataclass(frozen=True)
class Sample:
    """`name` is unique in what is evaluated; `group` (a video, a person, an original) is drawn as one for intervals."""

    name: str
    path: Path
    fake: bool
    group: str
    method: str
    dataset: str
    traits: Traits = field(default_factory=dict)


def traits_of(name: str, columns: Mapping[str, str | None] | None = None) -> dict[str, str]:
    """Age, gender and origin: from columns of a table, else from a name as UTKFace writes it."""
    told = {trait: value for trait in TRAITS if (value := (columns or {}).get(trait))}
    match = _UTK.search(name)
    if told or match is None:
        return {**told, **({"age": _band(told["age"])} if told.get("age", "").isdecimal() else {})}
    age, gender, origin = match.groups()
    return {"age": _band(age), "gender": _GENDERS[int(gender)], "origin": _ORIGINS[int(origin)]}


def _band(age: str) -> str:
    years = int(age[:4])  # longer numbers are no ages; Python refuses to read those of thousands of digits
    return next((words for below, words in _AGES if years < below), _OLDEST)


def limited(samples: Sequence[Sample], most: int) -> list[Sample]:
    """At most so many of each label in each set: the same ones in every run, whatever else the set holds."""
    taken: dict[tuple[str, bool], int] = {}
    kept = set()
    for sample in sorted(samples, key=lambda sample: hashlib.sha256(sample.name.encode()).digest()):
        pool = (sample.dataset, sample.fake)
        if taken.get(pool, 0) < most:
            taken[pool] = taken.get(pool, 0) + 1
            kept.add(sample.name)
    return [sample for sample in samples if sample.name in kept]


def used_by(entry: Entry, sample: Sample, record: frozenset[bytes] | None = None) -> Used:
    """What training did with a sample, by the sets a detector says it learned from and the split every recipe uses.

    `record`: that of its weights (training/learned.py), which knows files and groups under whatever name of a set.
    """
    uses: dict[str, Used] = {"train": "learned from", "judge": "chosen by", "calibrate": "calibrated on"}
    named = sample.dataset in {name.strip() for name in entry.trained_on.split(",")}
    by_split = uses[part_of(sample.group)] if named else "not used"
    grouped_so = named and record is not None and learned.of_group(sample.group) in record
    return "learned from" if not grouped_so and learned.seen([record], sample.group, sample.path) else by_split


def held_out(samples: Iterable[Sample], entries: Iterable[Entry]) -> list[Sample]:
    """Without what any of the detectors learned from or was calibrated on."""
    records = [(entry, learned.read(entry.path)) for entry in entries]
    gone: tuple[Used, ...] = ("learned from", "calibrated on")
    return [sample for sample in samples if not any(used_by(entry, sample, held) in gone for entry, held in records)]
