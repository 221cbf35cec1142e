"""What is installed: one table of manifest.toml a detector, with its files and how they want to be fed. Stdlib only.

models/weights/manifest.toml        what ships
models/weights/local/manifest.toml  what an operator imported or dropped in; takes the place of what ships

[my_net]                            # a classifier dropped in: any name that no other detector has
detector = "onnx"
file = "my_net.onnx"                # beside this manifest
sha256 = "..."                      # sha256sum my_net.onnx
version = "1"
title = "My network"
licence = "MIT"
kinds = ["face_swap"]               # face_swap, reenactment, synthetic
input_size = 224
margin = 1.0                        # side of its crop; 1 = the tight box of face_recognition's finder, at most 1.33
colour_order = "bgr"                # rgb | bgr
value_range = "0-1"                 # of the input before mean and std: 0-255 | 0-1 | -1-1
mean = [0.485, 0.456, 0.406]        # per channel, in the colour order above
std = [0.229, 0.224, 0.225]
output = "logits"                   # name or number of the output; index: which of its columns
index = 0
activation = "softmax"              # softmax | sigmoid | none
polarity = "high is fake"           # high is fake | low is fake
"""

from __future__ import annotations

import hashlib
import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from models.errors import WeightsError

WEIGHTS = Path(__file__).parent / "weights"
LOCAL = "local"
FILE = "manifest.toml"
NAME = re.compile(r"[a-z][a-z0-9_]{0,39}")
POLARITIES = ("high is fake", "low is fake", "undecided")


@dataclass(frozen=True)
class Entry:
    """One detector's table. `parts` lists the files of a detector that has several (see detectors/sequence.py)."""

    name: str
    version: str
    title: str
    licence: str
    kinds: tuple[str, ...]
    folder: Path
    file: str = ""
    sha256: str = ""
    detector: str = ""  # "onnx" for a classifier that was dropped in
    source: str = ""
    trained_on: str = ""
    input_size: int = 256
    margin: float = 1.33
    colour_order: str = "rgb"
    value_range: str = "0-255"
    mean: tuple[float, ...] = (0.0, 0.0, 0.0)
    std: tuple[float, ...] = (1.0, 1.0, 1.0)
    output: str | int = 0
    index: int = 0
    activation: str = "none"
    polarity: str = "high is fake"
    metrics: Mapping[str, Any] = field(default_factory=dict)
    parts: tuple[Mapping[str, Any], ...] = ()

    @property
    def path(self) -> Path:
        return self.folder / self.file

    @property
    def digest(self) -> str:
        """Names the content of all its files: what the pipeline's version and the calibration go by."""
        if not self.parts:
            return self.sha256
        return hashlib.sha256(repr([sorted(part.items()) for part in self.parts]).encode()).hexdigest()

    @property
    def installed(self) -> bool:
        return all((self.folder / file).is_file() for file in self.files())

    def files(self) -> Iterator[str]:
        if self.file:
            yield self.file
        for part in self.parts:
            yield from (part["features"], part["head"])


def read(folder: Path | None = None) -> dict[str, Entry]:
    """Every table of both manifests; the local one wins."""
    folder = folder or WEIGHTS
    return {**read_one(folder), **read_one(folder / LOCAL)}


def entry(name: str) -> Entry:
    entries = read()
    if name not in entries:
        raise WeightsError(f"No weights for {name} are installed. `unmask models list` says what to do.")
    return entries[name]


def read_one(folder: Path) -> dict[str, Entry]:
    """The tables of one folder's manifest."""
    path = folder / FILE
    if not path.exists():
        return {}
    try:
        tables = tomllib.loads(path.read_text(encoding="utf-8"))
        return {name: made(name, table, folder) for name, table in tables.items()}
    except (tomllib.TOMLDecodeError, TypeError, KeyError, ValueError) as error:
        raise WeightsError(f"{path} is not understood ({error}). models/manifest.py shows the format.") from error


def made(name: str, table: Mapping[str, Any], folder: Path) -> Entry:
    lists = {key: tuple(table[key]) for key in ("kinds", "mean", "std", "parts") if key in table}
    entry = Entry(**{**table, **lists, "name": name, "folder": folder})
    if not NAME.fullmatch(name):
        raise ValueError(f"{name!r} is no name for a detector: small letters, digits and _, at most 40")
    if entry.polarity not in POLARITIES:
        raise ValueError(f"polarity of {name} is one of {', '.join(POLARITIES)}")
    if not entry.parts and not (entry.file and entry.sha256):
        raise ValueError(f"{name} lacks file and sha256")
    for file in entry.files():
        if not isinstance(file, str) or Path(file).name != file:
            raise ValueError(f"{name}: {file!r} is no file beside the manifest")
    return entry
