"""Labelled pictures and clips to one shard of aligned faces (`unmask prepare`), in processes; a killed run goes on.

The arrays and the log beside them only grow. A file counts as done once its line is in the log, which is written
last: what a killed run left behind that line is cut off again.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures.process import BrokenProcessPool
from contextlib import closing
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models import bar
from models.errors import DatasetError
from models.evaluate import readers
from models.evaluate.samples import Sample
from models.jsonlines import JsonLines
from models.training import shard
from models.training.harvest import Harvest, harvest
from models.training.shard import WIDE, Item
from models.training.workers import in_processes

LOG = "done.jsonl"


@dataclass(frozen=True)
class Prepared:
    """What came of it. `passed_over`: reason -> files without a usable face, or that could not be read."""

    files: int
    faces: int
    reals: int
    fakes: int
    passed_over: dict[str, int]


def prepare(source: Path, out: Path, frames: int = 10, workers: int | None = None) -> Prepared:
    """`frames`: looked at in a clip. A finished folder is left as it is."""
    samples = readers.read(source, testing=False)
    if shard.is_prepared(out):
        return _told(out, samples, frames)
    out.mkdir(parents=True, exist_ok=True)
    log = _log(out, _plan(samples, frames))
    done = len(log.rows) - 1
    faces = sum(len(row["at"]) for row in log.rows[1:])
    crops = _Growing(out / shard.CROPS, np.dtype(np.uint8), (WIDE.side, WIDE.side, 3), faces)
    landmarks = _Growing(out / shard.LANDMARKS, np.dtype(np.float32), (68, 2), faces)
    with closing(crops), closing(landmarks), bar.counting("Cutting faces", len(samples), done) as advance:
        for sample, found in _harvested(samples[done:], frames, workers or os.cpu_count() or 1):
            if found.cuts:
                crops.add(np.stack([cut.crop for cut in found.cuts]))
                landmarks.add(np.stack([cut.landmarks for cut in found.cuts]))
            log.add({"name": sample.name, "at": [cut.t for cut in found.cuts], "reason": found.reason})
            advance()
    return _finished(out, samples, log.rows[1:], frames)


def _log(out: Path, plan: str) -> JsonLines:
    """What the run is to do, then a line a file that is done."""
    log = JsonLines(out / LOG)
    if not log.rows:
        log.add({"plan": plan})
    if log.rows[0].get("plan") != plan:
        raise _other(out)
    return log


def _harvested(samples: Sequence[Sample], frames: int, workers: int) -> Iterator[tuple[Sample, Harvest]]:
    work = partial(_harvest, frames=frames)
    try:
        yield from in_processes(work, samples, workers)
    except BrokenProcessPool as error:
        raise DatasetError(
            "A process that cuts faces ended unexpectedly (out of memory?). The same command goes on where it stopped."
        ) from error


def _harvest(sample: Sample, frames: int) -> Harvest:
    return harvest(sample.path, frames, WIDE)


def _finished(out: Path, samples: Sequence[Sample], done: Sequence[Mapping[str, Any]], frames: int) -> Prepared:
    reasons = dict(Counter(row["reason"] for row in done if row["reason"]).most_common())
    items = [_item(sample, t) for sample, row in zip(samples, done, strict=True) for t in row["at"]]
    if not items:
        raise DatasetError(f"None of the {len(samples):,} files shows a usable face: {_listed(reasons)}.")
    fakes = sum(item.fake for item in items)
    made = Prepared(len(samples), len(items), len(items) - fakes, fakes, reasons)
    shard.write_listing(out / shard.LISTING, items)
    told = {"cutting": asdict(WIDE), **asdict(made), "plan": _plan(samples, frames)}
    unfinished = out / f"{shard.PREPARED}.partial"
    unfinished.write_text(json.dumps(told, indent=1) + "\n", encoding="utf-8")
    unfinished.replace(out / shard.PREPARED)
    return made


def _item(sample: Sample, t: float | None) -> Item:
    name = sample.name if t is None else f"{sample.name}#{t:.3f}"
    return Item(name, "fake" if sample.fake else "real", sample.group, sample.method, sample.dataset, "landmarks")


def _listed(reasons: Mapping[str, int]) -> str:
    return ", ".join(f"{reason} {count:,}" for reason, count in reasons.items())


def _plan(samples: Sequence[Sample], frames: int) -> str:
    """What a run is to do, in short: a half-done one only goes on with the same."""
    words = [f"{sample.name}\t{sample.fake}\t{sample.group}" for sample in samples]
    return hashlib.sha256("\n".join([str(frames), repr(WIDE), *words]).encode()).hexdigest()


def _told(out: Path, samples: Sequence[Sample], frames: int) -> Prepared:
    told = json.loads((out / shard.PREPARED).read_text(encoding="utf-8"))
    if told["plan"] != _plan(samples, frames):
        raise _other(out)
    return Prepared(**{name: told[name] for name in Prepared.__dataclass_fields__})


def _other(out: Path) -> DatasetError:
    return DatasetError(f"{out} holds faces of other files or another number of frames. Choose another --out.")


class _Growing:
    """An .npy file that rows are added to: its header has room for any number of them. What lies behind `rows` goes."""

    def __init__(self, path: Path, dtype: np.dtype[Any], shape: tuple[int, ...], rows: int) -> None:
        self._dtype, self._shape, self._rows = dtype, shape, rows
        self._file = path.open("r+b" if path.exists() else "w+b")
        self._file.write(self._header())
        end = self._file.tell() + rows * int(np.prod(shape)) * dtype.itemsize
        if self._file.seek(0, os.SEEK_END) < end:
            self._file.close()
            raise DatasetError(f"{path} is shorter than its log says. Delete the folder and start again.")
        self._file.seek(self._file.truncate(end))

    def add(self, rows: NDArray[Any]) -> None:
        self._file.write(np.ascontiguousarray(rows, self._dtype).tobytes())
        self._file.flush()
        self._rows += len(rows)

    def close(self) -> None:
        self._file.seek(0)
        self._file.write(self._header())
        self._file.close()

    def _header(self) -> bytes:
        header = io.BytesIO()
        kind = {"descr": self._dtype.str, "fortran_order": False, "shape": (self._rows, *self._shape)}
        np.lib.format.write_array_header_1_0(header, kind)
        return header.getvalue()
