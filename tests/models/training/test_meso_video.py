from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from models import manifest, registry
from models.importers import trained
from models.training import split
from models.training.plan import Wish
from models.training.shard import Item
from models.training.tracks import Tracks
from models.types import Abstained, Context, Face, MediaInfo, Score

# Keras asks TensorFlow's variables for an array in a way numpy 2 has given up.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")
CLIP = Context(MediaInfo("video", "video/mp4", 640, 360, 5.0, 100), 20)


def people(folder: Path) -> Tracks:
    """Fakes carry a fine checkerboard in half of their faces."""
    rng = np.random.default_rng(0)
    by_part: dict[str, list[str]] = {"train": [], "judge": [], "calibrate": []}
    for i in range(200):
        by_part[split.part_of(f"g{i}")].append(f"g{i}")
    groups = [*by_part["train"][:10], *by_part["judge"][:6]]
    items = tuple(Item(f"{i}.mp4", ("real", "fake")[i % 2], group, "", "mine") for i, group in enumerate(groups))
    board = (np.indices((256, 256)).sum(axis=0) % 2 * 60).astype(np.uint8)[..., None]
    files = tuple(folder / f"{i}.npy" for i in range(len(items)))
    for i, file in enumerate(files):
        faces = np.repeat(rng.integers(60, 180, (6, 1, 1, 3), dtype=np.uint8), 256, axis=1).repeat(256, axis=2)
        faces[:: 2 if i % 2 else 99] += board
        np.save(file, faces)
    return Tracks(items, files)


def test_it_learns_from_clips_and_serves_over_a_track(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from models.training import meso_video

    cut = people(tmp_path)
    monkeypatch.setattr(meso_video.tracks, "prepare", lambda *_: cut)
    monkeypatch.setattr(meso_video.listing, "clips", lambda data, most: meso_video.listing.Listing(data, cut.items))
    out = tmp_path / "out"
    made = meso_video.run(tmp_path, out, Wish(epochs=2))
    assert (made.name, made.clips) == ("meso4_video", 6)
    assert made.auc is not None
    assert "On 6 clips of groups that were not learned from" in (out / "cards" / "meso4_video.md").read_text()
    weights = tmp_path / "weights"
    weights.mkdir()
    monkeypatch.setattr(manifest, "WEIGHTS", weights)
    (entry,) = trained.run(out)
    assert entry.name == "meso4_video"
    assert entry.path.with_suffix(".learned").is_file()
    detector = registry.load("meso4_video", 1)
    faces = [
        Face(float(i), (0, 0, 256, 256), 1.0, crop, np.zeros((68, 2), np.float32))
        for i, crop in enumerate(cut.faces(1))
    ]
    said = detector.score(faces, CLIP)
    assert isinstance(said, Score)
    assert said.p_fake == pytest.approx(np.mean(sorted(said.per_face)[-2:]))
    assert detector.score(faces[:4], CLIP) == Abstained("too_few_frames")
    assert detector.score([], CLIP) == Abstained("no_face")
