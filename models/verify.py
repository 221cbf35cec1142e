"""Are the installed weights what they should be? `unmask models verify`: files, cards, and that ONNX answers.

Whether the graph still answers as the network that was trained is asked where that network lies (a run's folder) and
its framework is installed.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Literal

import numpy as np
import onnxruntime as ort
from onnxruntime.capi import onnxruntime_pybind11_state as state

from models import catalogue, manifest, registry
from models.manifest import Entry

Result = Literal["ok", "failed", "not checked"]
SECTIONS = ("## How well", "## Where it fails")
BROKEN = (
    state.Fail, state.InvalidArgument, state.InvalidGraph, state.InvalidProtobuf, state.NotImplemented,
    state.RuntimeException, ValueError,
)  # fmt: skip
FRAMEWORKS = ("torch", "keras", "tensorflow")


@dataclass(frozen=True)
class Check:
    """`what`: hash, card, loads or parity."""

    name: str
    what: str
    result: Result
    detail: str


def verify(runs: Path) -> Iterator[Check]:
    """Every installed detector that has weights; `runs`: where training leaves its folders."""
    entries = manifest.read()
    for name in registry.names():
        if name in entries:
            yield from _of_one(entries[name], runs)


def _of_one(entry: Entry, runs: Path) -> Iterator[Check]:
    hashes = [_hash(entry, file, sha256) for file, sha256 in _files(entry)]
    yield from hashes
    yield _card(entry)
    if any(check.result == "failed" for check in hashes):
        return  # what is not the file of its manifest is not run
    yield from (_loads(entry, file) for file, _ in _files(entry))
    yield _parity(entry, runs)


def _files(entry: Entry) -> Iterator[tuple[str, str]]:
    if entry.file:
        yield entry.file, entry.sha256
    found = {part[key]: str(part[f"{key}_sha256"]) for part in entry.parts for key in ("features", "head")}
    yield from found.items()


def _hash(entry: Entry, file: str, sha256: str) -> Check:
    path = entry.folder / file
    if not path.is_file():
        return Check(entry.name, "hash", "failed", f"{path} is missing: install or train it again")
    with path.open("rb") as content:
        same = hashlib.file_digest(content, "sha256").hexdigest() == sha256
    detail = f"{file}, {sha256[:12]}" if same else f"{path} is not the file of its manifest: install or train it again"
    return Check(entry.name, "hash", "ok" if same else "failed", detail)


def _card(entry: Entry) -> Check:
    text = catalogue.card(entry.name, entry)
    if not text:
        return Check(entry.name, "card", "failed", f"there is none: models/cards/{entry.name}.md")
    lacking = [section for section in SECTIONS if section not in text]
    if lacking or not entry.licence:
        wanted = [*(section.removeprefix("## ") for section in lacking), *(["licence"] if not entry.licence else [])]
        return Check(entry.name, "card", "failed", f"it does not tell: {', '.join(wanted)}")
    return Check(entry.name, "card", "ok", f"{len(text.splitlines())} lines")


def _loads(entry: Entry, file: str) -> Check:
    try:
        session = ort.InferenceSession(str(entry.folder / file), providers=["CPUExecutionProvider"])
        outputs = session.run(None, {one.name: _example(one, entry) for one in session.get_inputs()})
    except BROKEN as error:
        return Check(entry.name, "loads", "failed", f"{file}: {str(error).splitlines()[0][:160]}")
    if not all(np.isfinite(output).all() for output in outputs):
        return Check(entry.name, "loads", "failed", f"{file} answers with no numbers")
    return Check(entry.name, "loads", "ok", f"{file} answers with {', '.join(o.name for o in session.get_outputs())}")


def _example(given: ort.NodeArg, entry: Entry) -> np.ndarray:
    free = {0: 2, 1: entry.input_size, 2: entry.input_size}
    if len(given.shape) == 4 and given.shape[1] == 3:
        free = {0: 2, 2: entry.input_size, 3: entry.input_size}
    shape = [size if isinstance(size, int) else free.get(axis, 1) for axis, size in enumerate(given.shape)]
    if given.type == "tensor(uint8)":
        return np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)
    return np.random.default_rng(0).random(shape, np.float32)


def _parity(entry: Entry, runs: Path) -> Check:
    lacking = [name for name in FRAMEWORKS if find_spec(name) is None]
    if lacking:
        return Check(entry.name, "parity", "not checked", f"needs the train extra ({', '.join(lacking)} missing)")
    out = _run_of(entry, runs)
    if out is None:
        return Check(entry.name, "parity", "not checked", f"the network it was made from is in no folder of {runs}")
    from models.training import parity

    try:
        worst = parity.of(entry, out)
    except (OSError, KeyError, ValueError, RuntimeError) as error:
        return Check(entry.name, "parity", "failed", f"{out}: {str(error).splitlines()[0][:160]}")
    if worst is None:
        return Check(entry.name, "parity", "not checked", f"{out} keeps no network of it")
    return Check(
        entry.name, "parity", "ok" if worst < parity.MOST else "failed", f"differs from {out} by {worst:.1e} at most"
    )


def _run_of(entry: Entry, runs: Path) -> Path | None:
    """The folder of the run that made this very file."""
    found: Sequence[Path] = sorted(runs.glob(f"**/weights/{manifest.FILE}")) if runs.is_dir() else ()
    for path in found:
        made = manifest.read_one(path.parent).get(entry.name)
        if made and made.sha256 == entry.sha256:
            return path.parent.parent
    return None
