from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from models.errors import DatasetError
from models.training import crops, prepare, shard, split
from models.training.harvest import harvest
from models.training.shard import SERVING, WIDE
from tests.labelled import face, write_clip, write_face, write_folders


@pytest.fixture(scope="module")
def faces(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three usable pictures of each label, one clip, and four files of which nothing can be cut."""
    root = write_folders(tmp_path_factory.mktemp("faces") / "set")
    write_clip(root / "fake" / "clip.mp4")
    Image.new("RGB", (200, 200)).save(root / "real" / "black.png")
    Image.fromarray(face(0)).resize((90, 90)).save(root / "real" / "small.png")
    (root / "real" / "broken.png").write_bytes((root / "real" / "0.png").read_bytes()[:5000])
    (root / "real" / "empty.jpg").write_bytes(b"")
    return root


@pytest.fixture(scope="module")
def whole(faces: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("whole") / "prepared"
    prepare.prepare(faces, out, frames=4, workers=1)
    return out


def test_usable_faces_are_cut_as_serving_cuts_them_and_the_rest_is_counted(faces: Path, whole: Path) -> None:
    told = prepare.prepare(faces, whole, frames=4, workers=1)
    assert (told.files, told.faces, told.reals, told.fakes) == (11, 10, 3, 7)
    assert told.passed_over == {"no_face": 1, "corrupt_media": 1, "empty_file": 1, "face_too_small": 1}
    held = shard.read_prepared(whole)
    assert held.crops.shape == (10, WIDE.side, WIDE.side, 3)
    assert held.cutting == WIDE
    names = [item.path for item in held.items]
    assert len(set(names)) == 10
    assert sum(name.startswith("fake/clip.mp4#") for name in names) == 4
    assert {item.group for item in held.items if "clip" in item.path} == {"set:clip"}
    row = names.index("real/1.png")
    serving, landmarks = crops.cut_with_landmarks(face(1))
    assert np.abs(crops.serving_crop(held, row).astype(float) - serving).mean() < 1
    assert held.landmarks is not None
    assert landmarks is not None
    assert held.landmarks[row] - 22 == pytest.approx(landmarks, abs=0.5)


def test_recipes_train_from_it(whole: Path) -> None:
    items = crops.read_index(whole)
    assert len(split.indices(items, "train")) > 0
    assert {item.fake for item in items} == {True, False}
    serving = crops.prepare(whole, items, whole, cutting=SERVING)
    assert serving.crops.shape == (10, 256, 256, 3)


@pytest.mark.parametrize("after", [0, 3, 7])
def test_a_run_that_ends_early_goes_on_to_the_same(
    faces: Path, whole: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, after: int
) -> None:
    out, count = tmp_path / "prepared", iter(range(100))

    def ends_early(*arguments: object) -> object:
        if next(count) == after:
            raise KeyboardInterrupt
        return harvest(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(prepare, "harvest", ends_early)
    with pytest.raises(KeyboardInterrupt):
        prepare.prepare(faces, out, frames=4, workers=1)
    with (out / shard.CROPS).open("ab") as file, (out / prepare.LOG).open("a") as log:
        file.write(b"crops whose line was never written")
        log.write('{"name": "torn')
    monkeypatch.setattr(prepare, "harvest", harvest)
    prepare.prepare(faces, out, frames=4, workers=1)
    for name in (shard.CROPS, shard.LANDMARKS, shard.LISTING, shard.PREPARED):
        assert (out / name).read_bytes() == (whole / name).read_bytes(), name


def test_a_killed_run_in_processes_goes_on_and_leaves_none_behind(faces: Path, whole: Path, tmp_path: Path) -> None:
    out = tmp_path / "prepared"
    (tmp_path / "run.py").write_text(
        "from pathlib import Path\n"
        "from models.training.prepare import prepare\n"
        f"if __name__ == '__main__':\n    prepare(Path({str(faces)!r}), Path({str(out)!r}), 4, 2)\n"
    )
    run = subprocess.Popen(
        [sys.executable, str(tmp_path / "run.py")], env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[3])}
    )
    try:
        log = out / prepare.LOG
        for _ in _until(120):
            if run.poll() is not None or (log.exists() and log.read_text().count("\n") >= 3):
                break
        children = _children(run.pid)
    finally:
        run.send_signal(signal.SIGKILL)
        run.wait()
    for _ in _until(30):
        if not any(Path(f"/proc/{child}").exists() for child in children):
            break
    else:
        pytest.fail("workers outlived their run")
    prepare.prepare(faces, out, frames=4, workers=1)
    assert (out / shard.CROPS).read_bytes() == (whole / shard.CROPS).read_bytes()


def _until(seconds: float) -> Iterator[None]:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        yield
        time.sleep(0.05)


def _children(pid: int) -> list[int]:
    tasks = Path(f"/proc/{pid}/task/{pid}/children")
    return [int(child) for child in tasks.read_text().split()] if tasks.exists() else []


def test_other_files_or_frames_need_another_folder(faces: Path, whole: Path, tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="another number of frames"):
        prepare.prepare(faces, whole, frames=5, workers=1)
    half = tmp_path / "half"
    shutil.copytree(whole, half)
    (half / shard.PREPARED).unlink()
    with pytest.raises(DatasetError, match="another number of frames"):
        prepare.prepare(faces, half, frames=5, workers=1)
    (half / shard.CROPS).write_bytes((half / shard.CROPS).read_bytes()[:1000])
    with pytest.raises(DatasetError, match="shorter than its log says"):
        prepare.prepare(faces, half, frames=4, workers=1)


def test_a_set_without_any_usable_face_says_why(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    Image.new("RGB", (200, 200)).save(tmp_path / "real" / "black.png")
    (tmp_path / "index.csv").write_text("path,label\nreal/black.png,real\nreal/gone.png,fake\n")
    with pytest.raises(DatasetError, match="None of the 2 files shows a usable face: no_face 1, missing_file 1"):
        prepare.prepare(tmp_path, tmp_path / "out", workers=1)


def test_a_face_too_far_from_the_front_is_turned_down(tmp_path: Path) -> None:
    blurred = Image.fromarray(face(0)).resize((12, 12)).resize((300, 300))
    (tmp_path / "real").mkdir()
    blurred.save(tmp_path / "real" / "blurred.png")
    write_face(tmp_path / "real" / "sharp.png")
    told = prepare.prepare(tmp_path, tmp_path / "out", workers=1)
    assert told.faces == 1
    assert sum(told.passed_over.values()) == 1
