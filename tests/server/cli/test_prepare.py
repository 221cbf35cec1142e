from __future__ import annotations

from pathlib import Path

from PIL import Image

from tests.labelled import write_folders
from tests.server.cli.conftest import Unmask


def test_what_was_cut_and_passed_over_is_told(unmask: Unmask, tmp_path: Path) -> None:
    faces = write_folders(tmp_path / "faces", 1)
    Image.new("RGB", (200, 200)).save(faces / "real" / "black.png")
    done = unmask("prepare", str(faces), "--out", str(tmp_path / "out"), "--workers", "1")
    assert done.exit_code == 0, done.output
    assert "2 faces (1 genuine, 1 manipulated) of 3 files" in done.output
    assert "passed over: 1 no_face" in done.output


def test_a_folder_of_another_kind_is_refused_with_the_layouts(unmask: Unmask, tmp_path: Path) -> None:
    done = unmask("prepare", str(tmp_path), "--out", str(tmp_path / "out"))
    assert done.exit_code == 1
    assert "folders real/ and fake/" in done.output
    assert "[dataset_error]" in done.output
