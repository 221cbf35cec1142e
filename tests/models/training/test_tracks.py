from __future__ import annotations

from pathlib import Path

import pytest

from models.errors import DatasetError
from models.training import listing, tracks
from models.training.tracks import Cutting
from tests.clips import make_clip
from tests.models.media import stamped, write_clip


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("clips")
    for label in ("real", "fake"):
        (folder / label).mkdir()
        make_clip(folder / label / "a.mp4", seconds=1, fps=10, height=512)
    write_clip(folder / "fake" / "empty.mp4", [stamped(i) for i in range(10)])
    (folder / "real" / "broken.mp4").write_bytes(b"no clip")
    return folder


def test_each_clip_is_cut_once_and_those_without_a_person_are_left_out(data: Path, tmp_path: Path) -> None:
    listed = listing.clips(data)
    assert len(listed.items) == 4
    people = tracks.prepare(listed, tmp_path, Cutting(8, 112, 1.0), workers=1)
    assert sorted(item.path for item in people.items) == ["fake/a.mp4", "real/a.mp4"]
    faces = people.faces(0)
    assert faces.shape == (8, 112, 112, 3)
    before = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*.npy")}
    assert len(before) == 4
    missing = people.files[0]
    missing.unlink()
    tracks.prepare(listed, tmp_path, Cutting(8, 112, 1.0), workers=1)
    after = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*.npy")}
    assert {path for path in after if after[path] != before[path]} == {missing}


def test_clips_of_one_label_alone_show_nothing(data: Path, tmp_path: Path) -> None:
    listed = listing.clips(data)
    items = tuple(item for item in listed.items if item.path not in ("fake/a.mp4",))
    with pytest.raises(DatasetError, match="faces were found in the videos of one label only"):
        tracks.prepare(listing.Listing(listed.root, items), tmp_path, Cutting(8), workers=1)
