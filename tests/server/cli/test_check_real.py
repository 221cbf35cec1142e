"""`unmask check` with everything real: the child that decodes, the models, the shipped weights."""

from __future__ import annotations

import csv
import io
import json
import threading
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from click.testing import Result
from PIL import Image

from models import registry
from models.analyze import Analyzer
from server import lineage, verdict, words
from server.cli.judge import Judge
from server.identity import sha256_file
from server.settings import Settings
from tests.server.cli.conftest import Unmask


@pytest.fixture(scope="session")
def astronaut(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A photograph with one face, that a package brings."""
    from skimage import data

    path = tmp_path_factory.mktemp("media") / "astronaut.png"
    Image.fromarray(data.astronaut()).save(path)  # type: ignore[no-untyped-call]
    return path


@pytest.fixture
def check(unmask: Unmask) -> Callable[..., Result]:
    return lambda *words: unmask("check", *(str(word) for word in words))


def test_a_photograph_is_judged(check: Callable[..., Result], astronaut: Path) -> None:
    done = check("--json", astronaut)
    assert done.exit_code == 0, done.output
    (line,) = done.stdout.splitlines()
    result = json.loads(line)
    assert {"path", "label", "probability", "reasons"} <= set(result)
    assert result["path"] == str(astronaut)
    assert result["label"] in verdict.MACHINE_LABELS
    assert result["label"] != "not_assessable"
    assert set(result["reasons"]) <= set(verdict.REASONS)
    low, high = result["interval"]
    assert 0 <= low <= result["probability"] <= high <= 1
    assert (result["kind"], result["coverage"]["faces"]) == ("image", 1)
    assert result["media"]["sha256"] == sha256_file(astronaut)
    assert [row["name"] for row in result["detectors"]] == list(registry.installed())


def test_another_finder_sees_the_same_face_in_a_verdict_of_another_version(
    check: Callable[..., Result], astronaut: Path
) -> None:
    usual, other = (json.loads(check("--json", "--finder", n, astronaut).stdout) for n in ("centerface", "hog"))
    assert other["coverage"]["faces"] == usual["coverage"]["faces"] == 1
    assert other["pipeline"] != usual["pipeline"]
    assert other["probability"] == pytest.approx(usual["probability"], abs=0.1)


def test_a_report_tells_all_that_a_report_can(check: Callable[..., Result], astronaut: Path, tmp_path: Path) -> None:
    done = check("--report", tmp_path / "out.html", astronaut)
    assert done.exit_code == 0, done.output
    told = (tmp_path / "out.html").read_text(encoding="utf-8")
    for part in ("Ticks: up to", "The picture", "Show where it looked", "Error level", "Most carry none", "log-odds"):
        assert part in told, part
    assert told.count("data:image/jpeg") == 5, "the picture, the face, its heatmap and two maps"


def test_the_same_photograph_is_judged_the_same(check: Callable[..., Result], astronaut: Path) -> None:
    first, second = (json.loads(line) for line in check("--json", astronaut, astronaut).stdout.splitlines())
    assert (first["probability"], first["label"]) == (second["probability"], second["label"])


def test_text_that_is_called_a_video(check: Callable[..., Result], astronaut: Path, tmp_path: Path) -> None:
    (tmp_path / "not a video.mp4").write_text("only text")
    done = check("--json", tmp_path / "not a video.mp4", astronaut)
    first, second = (json.loads(line) for line in done.stdout.splitlines())
    assert first["error"]["code"] == "unsupported_media"
    assert "probability" not in first
    assert "label" in second, "the next file is judged all the same"
    assert done.exit_code == 1


def test_an_empty_file(check: Callable[..., Result], tmp_path: Path) -> None:
    (tmp_path / "empty.jpg").touch()
    done = check("--json", tmp_path / "empty.jpg")
    assert json.loads(done.stdout)["error"]["code"] == "empty_file"
    assert done.exit_code == 1


def test_half_a_picture(check: Callable[..., Result], astronaut: Path, tmp_path: Path) -> None:
    content = astronaut.read_bytes()
    (tmp_path / "half.png").write_bytes(content[: len(content) // 2])
    done = check("--json", tmp_path / "half.png")
    assert json.loads(done.stdout)["error"]["code"] == "corrupt_media"


def test_a_picture_without_a_face(check: Callable[..., Result], tmp_path: Path) -> None:
    noise = np.random.default_rng(1).integers(0, 255, (256, 256, 3), dtype=np.uint8)
    Image.fromarray(noise).save(tmp_path / "noise.png")
    done = check("--json", tmp_path / "noise.png")
    result = json.loads(done.stdout)
    assert (result["label"], result["probability"], result["interval"]) == ("not_assessable", None, None)
    assert "no_face" in result["reasons"]
    assert done.exit_code == 0, "it was judged: there is nothing to judge"


def test_a_folder_up_to_a_limit(check: Callable[..., Result], astronaut: Path, tmp_path: Path) -> None:
    for name in ("a.png", "b.png", "c.png"):
        (tmp_path / name).write_bytes(astronaut.read_bytes())
    (tmp_path / "notes.txt").write_text("only text")
    done = check("--json", "--limit", 2, tmp_path)
    results = [json.loads(line) for line in done.stdout.splitlines()]
    assert [Path(result["path"]).name for result in results] == ["a.png", "b.png"]
    assert done.exit_code == 0


def test_a_table_and_lines(check: Callable[..., Result], astronaut: Path) -> None:
    header, row = csv.reader(io.StringIO(check("--csv", astronaut).stdout))
    assert header[:3] == ["path", "label", "probability"]
    assert 0 <= float(row[2]) <= 1
    lines = check("-v", "--detectors", "meso4", astronaut).stdout.splitlines()
    assert lines[0].startswith(f"{astronaut}: ")
    assert [line.split()[0] for line in lines[1:-1]] == ["meso4"]
    assert lines[-1].strip() == words.CREDENTIALS["absent"]


def test_nothing_is_left_behind(check: Callable[..., Result], astronaut: Path, tmp_path: Path) -> None:
    check(astronaut)
    assert list(tmp_path.iterdir()) == [], "not even a data folder: that is a server's"


def test_a_damaged_file_does_not_leave_a_process_waiting(astronaut: Path, tmp_path: Path) -> None:
    (tmp_path / "text.png").write_text("only text")
    before = set(lineage.children())
    with Judge(Settings(), 10, None) as judge:
        for _ in range(3):
            assert judge(str(tmp_path / "text.png"))["error"]["code"] == "unsupported_media"
        assert "label" in judge(str(astronaut))
        (zygote,) = set(lineage.children()) - before
        assert Path(f"/proc/{zygote}/task/{zygote}/children").read_text() == ""
    assert set(lineage.children()) == before


def test_no_model_is_being_loaded_when_judging_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    """A file refused at once ends the program while they load, which the runtime answers with an abort."""
    leaving, loaded = threading.Event(), threading.Event()

    def warm(_: Analyzer) -> None:
        leaving.wait(10)
        threading.Event().wait(0.3)
        loaded.set()

    monkeypatch.setattr(Analyzer, "warm", warm)
    with Judge(Settings(), 10, None) as judge:
        monkeypatch.setattr(judge._analyzer, "close", lambda: loaded.is_set() or pytest.fail("still loading"))
        leaving.set()


def test_a_private_address_is_refused(check: Callable[..., Result]) -> None:
    done = check("--json", "http://127.0.0.1:9/a.png")
    assert json.loads(done.stdout)["error"]["code"] == "address_refused"
    assert done.exit_code == 1


def test_bad_usage(check: Callable[..., Result]) -> None:
    assert check("/no/such/file").exit_code == 2


def test_a_calibration_that_cannot_be_read_is_said(
    check: Callable[..., Result], astronaut: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("UNMASK_CALIBRATION", str(tmp_path / "missing.toml"))
    done = check(astronaut)
    assert done.exit_code in (1, 2)
    assert "missing.toml" in done.stderr
