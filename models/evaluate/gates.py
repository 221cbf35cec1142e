"""What the gate against strong compression costs and spares: how models/quality.py came by its two limits.

python -m models.evaluate.gates faces/

Pictures of groups nothing was trained on, compressed more and more: how well Blend still tells them apart, and how
many the gate turns down. Then the genuine clips below faces/videos/real as they are.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import av
import numpy as np
from PIL import Image

from models import align, faces, quality, registry
from models.decode import decode
from models.evaluate.judges import LIMITS
from models.evaluate.metrics import auc
from models.training import crops, split
from models.training.augment import recompressed
from models.training.crops import Item
from models.types import Box, Context, Face, Frame, MediaInfo, Rgb, Score

USAGE = __doc__ or ""
JUDGE = "blend"
SWAPS = ("dfdc_train", "mesonet_train", "openforensics_train")
MOST = 100  # pictures of each label of each set
JPEG, CRF = (70, 50, 30, 20, 15, 10), (23, 28, 32, 36, 40, 44)
SIZE_DOES_NOT_MATTER = Context(MediaInfo("image", "image/jpeg", 256, 256, 0.0, 1), 1)


@dataclass(frozen=True)
class Looked:
    """One face at one level of compression."""

    level: str
    fake: bool
    p_fake: float
    turned_down: bool


def look(data: Path, items: Sequence[Item]) -> Iterator[Looked]:
    detector = registry.load(JUDGE, 2)
    for item in items:
        with Image.open(data / item.path) as picture:
            rgb = np.asarray(picture.convert("RGB"), np.uint8)
        if (nearest := crops.nearest_the_middle(rgb)) is None:
            continue
        border = (nearest[0].shape[0] - rgb.shape[0]) // 2
        levels = dict(_levels(rgb))
        seen = [_face(frame, nearest[1], border) for frame in levels.values()]
        said = detector.score(seen, SIZE_DOES_NOT_MATTER)
        scores = said.per_face if isinstance(said, Score) else ()
        for level, face, p_fake in zip(levels, seen, scores, strict=True):
            yield Looked(level, item.fake, p_fake, not face.usable)


def table(seen: Sequence[Looked]) -> str:
    lines = [f"{'':<14}{'AUC':>7}{'turned down: genuine':>24}{'manipulated':>14}"]
    for level in dict.fromkeys(one.level for one in seen):
        some = [one for one in seen if one.level == level]
        lines.append(f"{level:<14}{_auc(some):>7.3f}{_share(some, False):>24.1%}{_share(some, True):>14.1%}")
    for words, turned_down in (("kept", False), ("turned down", True)):
        some = [one for one in seen if one.turned_down == turned_down]
        lines.append(f"{words:<14}{_auc(some):>7.3f}{len(some):>24} faces of all levels")
    return "\n".join(lines)


def clips(folder: Path) -> str:
    found = [
        face
        for path in sorted(folder.glob("*.mp4"))
        for frame in decode(path, LIMITS, 10)
        for face in faces.find(frame)
    ]
    down = sum("heavy_compression" in face.reasons for face in found)
    return f"{folder.name} clips as they are: {down} of {len(found)} faces turned down"


def chosen(data: Path) -> list[Item]:
    items = crops.read_index(data)
    kept: dict[tuple[str, str], list[Item]] = {(name, label): [] for name in SWAPS for label in ("real", "fake")}
    for i in np.random.default_rng(0).permutation(split.indices(items, "judge")):
        pool = kept.get((items[i].dataset, items[i].label))
        if pool is not None and len(pool) < MOST:
            pool.append(items[i])
    return [item for pool in kept.values() for item in pool]


def _levels(rgb: Rgb) -> Iterator[tuple[str, Frame]]:
    yield "as it is", Frame(rgb, 0.0, 0)
    for percent in JPEG:
        yield f"JPEG {percent}", Frame(recompressed(rgb, percent), 0.0, 0)
    for crf in CRF:
        yield f"H.264 CRF {crf}", _predicted(rgb, crf)


def _predicted(rgb: Rgb, crf: int) -> Frame:
    """The last of three frames that drift."""
    even = rgb[: rgb.shape[0] // 2 * 2, : rgb.shape[1] // 2 * 2]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "a.mp4"
        with av.open(str(path), "w") as container:
            stream = container.add_stream("libx264", rate=25, options={"crf": str(crf)})
            stream.height, stream.width = even.shape[:2]
            stream.pix_fmt = "yuv420p"
            for shift in (-2, -1, 0):
                moved = np.ascontiguousarray(np.roll(even, shift, axis=1))
                container.mux(stream.encode(av.VideoFrame.from_ndarray(moved, format="rgb24")))
            container.mux(stream.encode())
        return list(decode(path, LIMITS, 3))[-1]


def _face(frame: Frame, located: faces.Located, border: int) -> Face:
    """`located` in the picture with its mirrored border, which is not part of what was compressed."""
    x, y, width, height = located.box
    box: Box = (x - border, y - border, width, height)
    landmarks = located.landmarks - border
    crop = align.crop(frame.rgb, align.square_of_landmarks(landmarks))
    return Face(0.0, box, 1.0, crop, landmarks, quality.compression(frame.rgb, box, frame.quantiser))


def _auc(some: Sequence[Looked]) -> float:
    return auc(np.array([one.p_fake for one in some]), np.array([one.fake for one in some], np.bool_))


def _share(some: Sequence[Looked], fake: bool) -> float:
    return float(np.mean([one.turned_down for one in some if one.fake == fake]))


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(USAGE)
    folder = Path(sys.argv[1])
    sys.stdout.write(f"{table(list(look(folder, chosen(folder))))}\n{clips(folder / 'videos' / 'real')}\n")
