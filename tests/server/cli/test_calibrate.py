from __future__ import annotations

from pathlib import Path

from models import calibrate
from tests.models.test_recalibrate import prepared
from tests.server.cli.conftest import Unmask


def test_it_writes_a_file_that_check_and_the_server_understand(unmask: Unmask, tmp_path: Path) -> None:
    data, out = prepared(tmp_path / "mine", 120), tmp_path / "mine.toml"
    done = unmask("calibrate", str(data), "--out", str(out), "--detectors", "meso4", "--prior", "0.1")
    assert done.exit_code == 0, done.output
    said = " ".join(done.stdout.split())
    assert "Pictures: 120 genuine and 40 manipulated" in said
    assert "meso4 120 / 40 AUC" in said
    assert "What meso4 learned from is not recorded" in said or "Left out" not in said
    assert f"UNMASK_CALIBRATION={out}" in said
    assert calibrate.load(out).prior == 0.1
    (tmp_path / "a.png").write_bytes(b"no picture")
    checked = unmask("check", "--calibration", str(out), str(tmp_path / "a.png"))
    assert checked.exit_code == 1
    assert "could not be checked" in checked.stdout


def test_too_little_is_refused_and_nothing_is_written(unmask: Unmask, tmp_path: Path) -> None:
    done = unmask("calibrate", str(prepared(tmp_path / "mine", 20)), "--out", str(tmp_path / "mine.toml"))
    assert done.exit_code == 1
    assert "here are 20" in " ".join(done.output.split())
    assert not (tmp_path / "mine.toml").exists()
