"""What a recipe is given to learn from: the pictures or the clips of any layout that `unmask evaluate` reads."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

from models.errors import DatasetError
from models.evaluate import readers
from models.evaluate.readers.media import CLIPS
from models.evaluate.samples import Sample, limited
from models.training.crops import PICTURES, Item, root
from models.training.shard import LABELS, is_prepared


@dataclass(frozen=True)
class Listing:
    """`items[i].path` is relative to `root`."""

    root: Path
    items: tuple[Item, ...]


def pictures(data: Path, most: int | None = None, known: Collection[str] = ()) -> Listing:
    """At most `most` of each label in each set. Of the sets named `known` those that are there, or else all."""
    return _listed(data, PICTURES, "pictures", most, known)


def clips(data: Path, most: int | None = None) -> Listing:
    return _listed(data, CLIPS, "videos", most, ())


def _listed(data: Path, endings: Collection[str], what: str, most: int | None, known: Collection[str]) -> Listing:
    cut = is_prepared(root(data))  # then all of it is pictures by now, whatever they were cut from
    samples = readers.read(data, testing=False)
    samples = [sample for sample in samples if sample.path.suffix.lower() in endings or cut]
    samples = [sample for sample in samples if sample.dataset in known] or samples
    if most is not None:
        samples = limited(samples, most)
    for fake, label in enumerate(LABELS):
        if not any(sample.fake == bool(fake) for sample in samples):
            raise DatasetError(f"{data} must hold {what} of both labels; none is labelled {label}.")
    return Listing(_root(samples[0]), tuple(_item(sample) for sample in samples))


def _root(sample: Sample) -> Path:
    return sample.path.parents[len(Path(sample.name).parts) - 1]


def _item(sample: Sample) -> Item:
    return Item(sample.name, LABELS[sample.fake], sample.group, sample.method, sample.dataset)
