"""`unmask check` around the judging: what is taken, how it is written, how it ends. The judge is a stand-in."""

from __future__ import annotations

import csv
import io
import json
import os
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Any

import click
import pytest

from models.calibrate import load
from server import verdict
from server.cli import check, judge
from server.cli.check import Limits
from server.settings import Settings
from tests.models.conftest import FLAGGING
from tests.server.cli.conftest import Unmask
from tests.server.report.verdicts import JPEG as PICTURE
from tests.server.report.verdicts import clip, detector

PNG = b"\x89PNG\r\n\x1a\n" + bytes(24)
JPEG = b"\xff\xd8\xff" + bytes(24)
MP4 = b"\x00\x00\x00\x18ftypisom" + bytes(24)

RESULT: dict[str, Any] = {
    "label": "manipulation_likely",
    "probability": 0.9123,
    "interval": [0.82, 0.96],
    "reasons": ["detectors_disagree", "blurred"],
    "detectors": [
        detector("meso4", score=0.951, weight=0.4, contribution=1.234, evidence="of 20 frames"),
        detector("other", band="abstained", score=None, weight=0.0, contribution=0.0, ms=2, reason="too_short"),
    ],
}
ERROR = {"error": {"code": "corrupt_media", "message": "The file is damaged.", "details": {}}}


def broken(path: str) -> bool:
    return Path(path).name.startswith("broken")


class StandInJudge:
    """Knows every file but those that are called broken."""

    calibration = load(FLAGGING)

    def __init__(
        self, settings: Settings, sequence_length: int, detectors: tuple[str, ...] | None,
        pictures: dict[str, bytes] | None = None, **_: Any,
    ) -> None:  # fmt: skip
        self.asked = (sequence_length, detectors, settings.face_finder)
        self.pictures = pictures

    def __enter__(self) -> StandInJudge:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        pass

    def __call__(self, what: str) -> dict[str, Any]:
        if self.pictures is not None and not broken(what):
            self.pictures["face-6.0"] = PICTURE
            return {"path": what, **clip()}
        return {"path": what, **(ERROR if broken(what) else RESULT), "asked": self.asked}


@pytest.fixture
def check_with_stand_in(unmask: Unmask, monkeypatch: pytest.MonkeyPatch) -> Unmask:
    monkeypatch.setattr(judge, "Judge", StandInJudge)

    def run(*words: str) -> Any:
        return unmask("check", *words)

    return run


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "media"
    (made / "deep").mkdir(parents=True)
    for name, content in {
        "a.png": PNG, "b.txt": JPEG, "c.mp4": MP4, "d.mp4": b"only text", "deep/e.jpg": JPEG, "deep/f.mp4": MP4,
        "empty.png": b"", "notes.txt": b"only text",
    }.items():  # fmt: skip
        (made / name).write_bytes(content)
    return made


def names(done: Any) -> list[str]:
    return [Path(json.loads(line)["path"]).name for line in done.stdout.splitlines()]


# what is taken


DAMAGED = {"d.mp4", "empty.png"}  # media by name alone: tried, to be named, and no limit counts them


def test_in_a_folder_what_is_media_by_content_or_by_name_is_taken(check_with_stand_in: Unmask, folder: Path) -> None:
    done = check_with_stand_in("--json", str(folder))
    assert names(done) == ["a.png", "b.txt", "c.mp4", "d.mp4", "e.jpg", "f.mp4", "empty.png"]
    assert done.exit_code == 0
    assert "Passed over 1 that are neither pictures nor videos." in done.stderr


@pytest.mark.parametrize(
    ("limits", "taken"),
    [
        (("--limit", "1"), ["a.png", "c.mp4"]),
        (("--limit", "2"), ["a.png", "b.txt", "c.mp4", "f.mp4"]),
        (("--ilimit", "1"), ["a.png", "c.mp4", "f.mp4"]),
        (("--vlimit", "1"), ["a.png", "b.txt", "c.mp4", "e.jpg"]),
        (("--limit", "1", "--ilimit", "3"), ["a.png", "b.txt", "c.mp4", "e.jpg"]),
        (("--limit", "99"), ["a.png", "b.txt", "c.mp4", "e.jpg", "f.mp4"]),
    ],
)
def test_limits(check_with_stand_in: Unmask, folder: Path, limits: tuple[str, ...], taken: list[str]) -> None:
    found = names(check_with_stand_in("--json", *limits, str(folder)))
    assert [name for name in found if name not in DAMAGED] == taken
    assert set(found) >= DAMAGED


def test_limits_hold_for_files_that_a_shell_unfolded(check_with_stand_in: Unmask, folder: Path) -> None:
    files = [str(folder / name) for name in ("b.txt", "a.png", "d.mp4", "c.mp4")]
    assert names(check_with_stand_in("--json", "--limit", "1", *files)) == ["b.txt", "d.mp4", "c.mp4"]


def test_limits_count_all_folders_together(check_with_stand_in: Unmask, folder: Path) -> None:
    done = check_with_stand_in("--json", "--limit", "1", str(folder / "deep"), str(folder))
    assert [name for name in names(done) if name not in DAMAGED] == ["e.jpg", "f.mp4"]


def test_a_named_file_is_always_tried(check_with_stand_in: Unmask, folder: Path) -> None:
    assert names(check_with_stand_in("--json", str(folder / "d.mp4"))) == ["d.mp4"]


def test_an_address_is_taken_as_it_is(check_with_stand_in: Unmask) -> None:
    done = check_with_stand_in("--json", "https://example.org/a?b=c")
    assert json.loads(done.stdout)["path"] == "https://example.org/a?b=c"


def test_results_come_in_the_order_asked(
    check_with_stand_in: Unmask, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("UNMASK_CONCURRENCY", "8")
    files = [str(folder / name) for name in ("c.mp4", "a.png", "b.txt")] * 5
    assert names(check_with_stand_in("--json", *files)) == ["c.mp4", "a.png", "b.txt"] * 5


def test_an_empty_folder_is_said_to_be_empty(check_with_stand_in: Unmask, tmp_path: Path) -> None:
    (tmp_path / "none").mkdir()
    done = check_with_stand_in("--json", str(tmp_path / "none"))
    assert (done.exit_code, done.stdout) == (0, "")
    assert "no picture or video was found" in done.stderr


def test_a_file_that_may_not_be_read_is_no_reason_to_stop(
    check_with_stand_in: Unmask, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Root may read everything, so the refusal is made up."""
    opened: Callable[..., Any] = Path.open

    def refuse(path: Path, *arguments: Any, **named: Any) -> Any:
        if path.name == "b.txt":
            raise PermissionError(13, "Permission denied")
        return opened(path, *arguments, **named)

    monkeypatch.setattr(Path, "open", refuse)
    done = check_with_stand_in("--json", str(folder))
    assert [name for name in names(done) if name not in DAMAGED] == ["a.png", "c.mp4", "e.jpg", "f.mp4"]
    assert "b.txt" in done.stderr


@pytest.mark.parametrize(("left", "answers"), [(None, [True] * 3), (2, [True, True, False]), (1, [True, False, False])])
def test_taking(left: int | None, answers: list[bool]) -> None:
    images, videos = Limits(left, None), Limits(None, left)
    assert [images.take("image") for _ in range(3)] == answers
    assert [videos.take("video") for _ in range(3)] == answers
    assert images.take("video")
    assert videos.take("image")


# bad usage


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ((), "Missing argument"),
        (("no such file",), "There is no file or folder no such file."),
        (("--json", "--csv", "."), "Choose one"),
        (("--limit", "0", "."), "0"),
        (("--ilimit", "-1", "."), "-1"),
        (("--vlimit", "many", "."), "many"),
        (("--sequence-length", "61", "."), "61"),
        (("--detectors", "mesoo4", "."), "mesoo4"),
        (("--detectors", "meso4,nope", "."), "'nope'"),
        (("--detectors", "", "."), "meso4"),
        (("--detectors", ",", "."), "meso4"),
        (("--finder", "yolo", "."), "'centerface', 'hog', 'cnn'"),
        (("--fast", "."), "--fast"),
    ],
)
def test_bad_usage(check_with_stand_in: Unmask, words: tuple[str, ...], said: str) -> None:
    done = check_with_stand_in(*words)
    assert (done.exit_code, done.stdout) == (2, "")
    assert said in done.stderr


def test_a_missing_file_is_said_before_anything_is_judged(check_with_stand_in: Unmask, folder: Path) -> None:
    done = check_with_stand_in("--csv", str(folder), str(folder / "missing"))
    assert (done.exit_code, done.stdout) == (2, "")


def test_choices_reach_the_judge(check_with_stand_in: Unmask, folder: Path) -> None:
    words = ("--json", "--sequence-length", "20", "--detectors", " meso4 ,", str(folder / "a.png"))
    assert json.loads(check_with_stand_in(*words).stdout)["asked"] == [20, ["meso4"], "centerface"]
    assert json.loads(check_with_stand_in("--json", str(folder / "a.png")).stdout)["asked"] == [60, None, "centerface"]


def test_the_option_comes_before_the_setting(
    check_with_stand_in: Unmask, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("UNMASK_FACE_FINDER", "cnn")
    for words, finder in (((), "cnn"), (("--finder", "hog"), "hog")):
        done = check_with_stand_in("--json", *words, str(folder / "a.png"))
        assert json.loads(done.stdout)["asked"][-1] == finder


# how it is written


@pytest.fixture
def broken_file(folder: Path) -> str:
    (folder / "broken.png").write_bytes(PNG)
    return str(folder / "broken.png")


def test_json_lines(check_with_stand_in: Unmask, folder: Path, broken_file: str) -> None:
    done = check_with_stand_in("--json", str(folder / "a.png"), broken_file)
    first, second = (json.loads(line) for line in done.stdout.splitlines())
    assert list(first)[:5] == ["path", "label", "probability", "interval", "reasons"]
    assert second["error"]["code"] == "corrupt_media"
    assert done.exit_code == 1


def test_csv(check_with_stand_in: Unmask, folder: Path, broken_file: str) -> None:
    done = check_with_stand_in("--csv", str(folder / "a.png"), broken_file)
    header, first, second = csv.reader(io.StringIO(done.stdout))
    assert header == ["path", "label", "probability", "low", "high", "reasons", "error"]
    assert first[1:] == ["manipulation_likely", "0.9123", "0.82", "0.96", "detectors_disagree blurred", ""]
    assert second == [broken_file, "", "", "", "", "", "corrupt_media"]
    assert done.exit_code == 1


@pytest.mark.parametrize("name", ["=1+1.png", "+1.png", "-1.png", "@SUM(A1).png", "\t=1.png", "\r=1.png", "\n=1.png"])
def test_a_spreadsheet_runs_nothing(name: str) -> None:
    (cells,) = csv.reader(io.StringIO(check._csv_line({"path": name, **RESULT}), newline=""))
    assert cells[0] == "'" + name
    assert len(cells) == len(check.CSV_COLUMNS)


@pytest.mark.parametrize("name", ["a,b.png", 'a"b.png', "a\nb.png", "a\rb.png", "a\r\nb.png", "ä\u2028.png", "a=b.png"])
def test_any_name_is_one_cell(name: str) -> None:
    text = check._csv_line({"path": name, **RESULT}) + "\n" + check._csv_line({"path": "next", **ERROR}) + "\n"
    first, second = csv.reader(io.StringIO(text, newline=""))
    assert first[0] == name
    assert second[0] == "next"


def test_numbers_stay_numbers_in_csv() -> None:
    result = {**RESULT, "probability": 0.0, "interval": [0.0, 0.0]}
    assert check._csv_line({"path": "a", **result}).startswith("a,manipulation_likely,0.0,0.0,0.0,")


def test_what_could_not_be_assessed_has_empty_cells() -> None:
    result = {"path": "a", "label": "not_assessable", "probability": None, "interval": None, "reasons": ["no_face"]}
    assert check._csv_line(result) == "a,not_assessable,,,,no_face,"


def test_text(check_with_stand_in: Unmask, folder: Path, broken_file: str) -> None:
    done = check_with_stand_in(str(folder / "a.png"), broken_file)
    assert done.stdout.splitlines() == [
        f"{folder}/a.png: Manipulation likely - about 91 in 100 (82-96) [detectors_disagree, blurred]",
        f"{broken_file}: could not be checked: The file is damaged. [corrupt_media]",
    ]
    assert done.exit_code == 1


@pytest.mark.parametrize("label", verdict.MACHINE_LABELS)
def test_every_label_makes_a_line(label: str) -> None:
    line = check._text_line({"path": "a", "label": label, "probability": None, "interval": None, "reasons": []})
    assert line.startswith("a: ")
    assert "None" not in line


def test_a_terminal_is_sent_no_control_characters() -> None:
    line = check._text_line({"path": "a\x1b[31m\n\u202eb\udcff", **RESULT})
    assert line.isprintable()
    assert line.startswith("a\N{REPLACEMENT CHARACTER}[31m")


def test_verbose_shows_each_detector(check_with_stand_in: Unmask, folder: Path, broken_file: str) -> None:
    done = check_with_stand_in("-v", str(folder / "a.png"), broken_file)
    _, first, second, _ = done.stdout.splitlines()
    assert first.split() == [
        "meso4",
        "high",
        "score",
        "0.95",
        "weight",
        "0.40",
        "adds",
        "+1.23",
        "310",
        "ms",
        "of",
        "20",
        "frames",
    ]
    assert second.split() == [
        "other",
        "abstained",
        "score",
        "-",
        "weight",
        "0.00",
        "adds",
        "+0.00",
        "2",
        "ms",
        "too_short",
    ]
    assert len(check_with_stand_in("-v", "--json", str(folder / "a.png")).stdout.splitlines()) == 1


@pytest.mark.parametrize("form", ["--json", "--csv", "--verbose"])
def test_a_name_that_is_no_text_is_written_all_the_same(check_with_stand_in: Unmask, folder: Path, form: str) -> None:
    """A Linux file name is bytes; these are not UTF-8."""
    name = os.fsdecode(b"\xff\xfe.png")
    try:
        (folder / "deep" / name).write_bytes(PNG)
    except OSError:
        pytest.skip("this file system only takes names that are text")
    done = check_with_stand_in(form, str(folder / "deep"))
    assert done.exit_code == 0
    assert len(done.stdout.splitlines()) >= 3
    if form == "--json":
        assert names(done)[-1] == name, "nothing of it is lost"


def test_a_report_of_one_file(check_with_stand_in: Unmask, folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.html"
    done = check_with_stand_in("--report", str(out), str(folder / "c.mp4"))
    assert done.exit_code == 0
    assert done.stdout.startswith(f"{folder}/c.mp4: Manipulation likely")
    assert f"Report written to {out}" in done.stderr
    text = out.read_text(encoding="utf-8")
    assert '<h1 class="named">c.mp4</h1>' in text
    assert str(folder) not in text, "a report is passed on; where the file lay is nobody's business"
    assert text.count("<img ") == 1
    assert "Of the 199 genuine items it was calibrated on" in text


def test_a_report_is_about_one_file(check_with_stand_in: Unmask, folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.html"
    done = check_with_stand_in("--report", str(out), str(folder))
    assert done.exit_code == 2
    assert "A report is about one file, and 7 were named." in done.stderr
    assert not out.exists()


def test_what_cannot_be_checked_has_no_report(check_with_stand_in: Unmask, broken_file: str, tmp_path: Path) -> None:
    done = check_with_stand_in("--report", str(tmp_path / "out.html"), broken_file)
    assert done.exit_code == 1
    assert not (tmp_path / "out.html").exists()


@pytest.mark.parametrize("name", ["no/out.html", "media"])
def test_where_no_report_can_be_written_nothing_is_checked(
    check_with_stand_in: Unmask, folder: Path, tmp_path: Path, name: str
) -> None:
    done = check_with_stand_in("--report", str(tmp_path / name), str(folder / "c.mp4"))
    assert done.exit_code == 2
    assert done.stdout == ""
    assert "There is no folder" in done.stderr or "is a directory" in done.stderr


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that is always full")
def test_a_full_disk_is_told(check_with_stand_in: Unmask, folder: Path) -> None:
    done = check_with_stand_in("--report", "/dev/full", str(folder / "c.mp4"))
    assert done.exit_code == 1
    assert "could not be written to /dev/full: No space left on device." in done.stderr


def test_a_report_of_a_file_whose_name_is_hostile(check_with_stand_in: Unmask, folder: Path, tmp_path: Path) -> None:
    name = "<img src=x onerror=alert(1)>.png"
    (folder / name).write_bytes(PNG)
    done = check_with_stand_in("--report", str(tmp_path / "out.html"), str(folder / name))
    assert done.exit_code == 0
    assert "<img src=x" not in (tmp_path / "out.html").read_text(encoding="utf-8")


def test_named_detectors() -> None:
    assert judge.named_detectors(None) is None
    assert judge.named_detectors("meso4") == ("meso4",)
    with pytest.raises(click.UsageError, match="Choose from: "):
        judge.named_detectors("x")
