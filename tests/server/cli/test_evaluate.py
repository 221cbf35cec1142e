from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.labelled import write_folders
from tests.server.cli.conftest import Unmask


def test_a_folder_becomes_a_report(unmask: Unmask, tmp_path: Path) -> None:
    faces, out = write_folders(tmp_path / "faces", 2), tmp_path / "out"
    done = unmask("evaluate", str(faces), "--out", str(out), "--detectors", "meso4", "--limit", "1")
    assert done.exit_code == 0, done.output
    assert "2 items: 1 genuine and 1 manipulated could be read, 1 and 1 of them judged." in done.output
    assert {path.name for path in out.iterdir()} == {"items.jsonl", "metrics.json", "report.md", "report.html", "plots"}
    assert "<svg" in (out / "report.html").read_text()
    assert json.loads((out / "items.jsonl").read_text().splitlines()[0])["label"] in (
        "manipulation_likely", "inconclusive", "no_evidence_found",
    )  # fmt: skip
    again = unmask("evaluate", str(faces), "--out", str(out), "--detectors", "meso4", "--limit", "1", "--json")
    assert json.loads(again.stdout)["overall"]["meso4"]["reals"] == 1


@pytest.mark.parametrize(
    ("table", "words"),
    [("path,kind\n", "lacks the columns label"), ("path,label\ngone.jpg,fake\n", "None of the 1 files could be read")],
)
def test_what_is_wrong_is_told_in_a_sentence(unmask: Unmask, tmp_path: Path, table: str, words: str) -> None:
    (tmp_path / "list.csv").write_text(table)
    done = unmask("evaluate", str(tmp_path / "list.csv"), "--detectors", "meso4")
    assert done.exit_code == 1
    assert words in done.output
    assert "[dataset_error]" in done.output


def test_an_unknown_detector_is_refused(unmask: Unmask, tmp_path: Path) -> None:
    done = unmask("evaluate", str(write_folders(tmp_path / "faces", 1)), "--detectors", "meso5")
    assert done.exit_code == 2
