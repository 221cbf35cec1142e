"""What a child says, looked at before it is believed: it may have been taken over by what it read."""

from __future__ import annotations

import math
import stat
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import get_args

import numpy as np

from models.bounds import GLANCE_SIDE, LONGEST_NAME, MOST_TOLD
from models.pdq import BEST, BYTES
from models.timeline import MOST_GLANCES
from models.types import Credentials, Frame, Glance, Mark, MediaInfo, Pdq, Provenance
from server.errors import ChildDied
from server.fetch.sources import Fetched, NotModified
from server.identity import sha256_file
from server.intake import EXTENSIONS
from server.sandbox.wire import Header

MOST_COUNTED = 2**31 - 1  # of pixels a side, or of frames: what a column of the database holds


def nonsense(what: str) -> ChildDied:
    """The child answers what ours never would: it has been taken over, or it is another version."""
    return ChildDied(details={"exit": f"unexpected answer: {what}"})


def progress(head: Header) -> tuple[int, int | None]:
    done, total = head.get("done"), head.get("total")
    if not isinstance(done, int) or not isinstance(total, int | None):
        raise nonsense("progress")
    return done, total


def result(head: Header, folder: Path) -> Fetched | NotModified:
    """`folder` is the child's, which must have ended: what is looked at can no longer change."""
    kind = head.pop("type", None)
    try:
        if kind == "not_modified":
            return NotModified(**head)
        fetched = Fetched(**{**head, "path": folder / str(head["path"])})
        if kind == "fetched" and _is_true(fetched, folder):
            return fetched
    except (KeyError, TypeError, ValueError, OSError):
        pass
    raise nonsense("result")


def _is_true(fetched: Fetched, folder: Path) -> bool:
    """The hash is the identity of media, and verdicts hang on it: so it is taken here once more."""
    path, found = fetched.path, fetched.path.lstat()
    usual = folder / (fetched.sha256 + EXTENSIONS[fetched.mime])
    is_file = path == usual and stat.S_ISREG(found.st_mode) and found.st_size == fetched.size
    return is_file and sha256_file(path) == fetched.sha256


def info(head: Header) -> MediaInfo:
    try:
        width, height, frames = (int(head[name]) for name in ("width", "height", "frames"))
        duration, complete = float(head["duration"]), bool(head.get("complete", True))
        counted = min(width, height, frames) > 0 and max(width, height, frames) <= MOST_COUNTED
        if head["type"] == "info" and head["kind"] in ("image", "video") and counted and 0 <= duration < math.inf:
            told = provenance(head.get("provenance", {}))
            return MediaInfo(head["kind"], _name(head["mime"]), width, height, duration, frames, complete, told)
    except (KeyError, TypeError, ValueError, OverflowError):
        pass
    raise nonsense("info")


def provenance(told: Header) -> Provenance:
    """ValueError or TypeError for what no file of ours says; names are shown to people, so they are short."""
    if not isinstance(told, dict):
        raise ValueError
    marks = tuple(Mark(_name(mark["where"]), _name(mark["says"])) for mark in told.get("marks", ()))
    types = tuple(_name(value) for value in told.get("source_types", ()))
    state, signer, generator = told.get("c2pa", "unchecked"), told.get("signer"), told.get("generator")
    if state not in get_args(Credentials) or max(len(marks), len(types)) > MOST_TOLD:
        raise ValueError
    return Provenance(
        state, None if signer is None else _name(signer), types, None if generator is None else _name(generator), marks
    )


def _name(value: object) -> str:
    if not isinstance(value, str) or not value.isprintable() or not 0 < len(value) <= LONGEST_NAME:
        raise ValueError
    return value


def pictures(answers: Iterable[tuple[Header, bytearray]], most: int) -> Iterator[Frame | Glance]:
    """`most` frames, which is what was asked for: whoever reads them keeps something of each."""
    left = {"frame": most, "glance": MOST_GLANCES}
    for head, pixels in answers:
        kind = "glance" if head.get("type") == "glance" else "frame"
        if not left[kind]:
            raise nonsense(f"{kind}s")
        left[kind] -= 1
        yield glance(head, pixels) if kind == "glance" else frame(head, pixels)


def frame(head: Header, pixels: bytearray) -> Frame:
    try:
        height, width, channels = head["shape"]
        if channels != 3 or not math.isfinite(head["t"]):
            raise ValueError
        rgb = np.frombuffer(pixels, np.uint8).reshape(height, width, 3)
        coarse = head.get("quantiser")
        quantiser = None if coarse is None else float(coarse)
        if quantiser is not None and not math.isfinite(quantiser):
            raise ValueError
        looks = None if head.get("pdq") is None else _pdq(*head["pdq"])
        return Frame(rgb, float(head["t"]), int(head["index"]), int(head.get("missing", 0)), quantiser, looks)
    except (KeyError, TypeError, ValueError, OverflowError):
        raise nonsense("frame") from None


def _pdq(bits: str, quality: int) -> Pdq:
    made = Pdq(bytes.fromhex(bits), int(quality))
    if len(made.bits) != BYTES or not 0 <= made.quality <= BEST:
        raise ValueError
    return made


def glance(head: Header, pixels: bytearray) -> Glance:
    try:
        height, width = head["shape"]
        if max(height, width) > GLANCE_SIDE or not math.isfinite(head["t"]):
            raise ValueError
        grey = np.frombuffer(pixels, np.uint8).reshape(height, width)
        return Glance(grey, float(head["t"]), int(head["missing"]))
    except (KeyError, TypeError, ValueError, OverflowError):
        raise nonsense("glance") from None
