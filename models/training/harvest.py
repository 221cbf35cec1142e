"""The usable faces of one file as training crops, found, gated and cut as serving does it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from models import faces, quality
from models.decode import DecodeLimits, decode, probe
from models.errors import MediaError
from models.tracks import Tracker
from models.training.crops import around, nearest_the_middle
from models.training.shard import Cutting
from models.types import Floats, Frame, Rgb

LIMITS = DecodeLimits(max_pixels=40_000_000, max_seconds=3600)


@dataclass(frozen=True)
class Cut:
    """`t`: seconds into a clip, None for a picture."""

    crop: Rgb
    landmarks: Floats
    t: float | None


@dataclass(frozen=True)
class Harvest:
    """`reason`: why there is nothing, in the words of a verdict or of a media error."""

    cuts: tuple[Cut, ...]
    reason: str = ""


def harvest(path: Path, frames: int, cutting: Cutting) -> Harvest:
    """Of a picture the face nearest its middle; of a clip the person seen most, in up to `frames` frames."""
    try:
        info = probe(path, LIMITS)
        source = decode(path, LIMITS, frames)
        return _of_picture(next(source).rgb, cutting) if info.kind == "image" else _of_clip(list(source), cutting)
    except MediaError as error:
        return Harvest((), error.code)
    except FileNotFoundError:
        return Harvest((), "missing_file")
    except OSError:
        return Harvest((), "unreadable_file")


def _of_picture(rgb: Rgb, cutting: Cutting) -> Harvest:
    found = nearest_the_middle(rgb)
    if found is None:
        return Harvest((), "no_face")
    padded, face = found
    serving, _ = around(padded, face.landmarks, Cutting())
    reasons = quality.reasons(serving, face.box, face.landmarks, face.strain)
    return Harvest((), reasons[0]) if reasons else Harvest((Cut(*around(padded, face.landmarks, cutting), None),))


def _of_clip(frames: Sequence[Frame], cutting: Cutting) -> Harvest:
    tracker = Tracker()
    turned_down: Counter[str] = Counter()
    for frame in frames:
        found = faces.find(frame, faces.MOST_IN_FRAME)
        turned_down.update(reason for face in found for reason in face.reasons)
        tracker.add(found, frame.rgb)
    most = max((track.usable for track in tracker.tracks()), key=len, default=())
    if not most:
        return Harvest((), turned_down.most_common(1)[0][0] if turned_down else "no_face")
    at = {frame.t: frame.rgb for frame in frames}
    return Harvest(tuple(Cut(*around(at[face.t], face.landmarks, cutting), face.t) for face in most))
