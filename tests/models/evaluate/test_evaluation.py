"""From a folder to a report through the real line, on faces made of one portrait."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from PIL import Image

from models.analyze import Analyzer
from models.calibrate import Calibration
from models.errors import DatasetError
from models.evaluate import evaluation
from models.evaluate.changes import CHANGES
from models.evaluate.evaluation import Wish, evaluate
from models.evaluate.judges import Files
from models.evaluate.samples import Sample
from models.training import prepare
from models.training.split import part_of
from models.types import Analysis, Frame, Glance
from tests.clips import make_clip
from tests.labelled import write_clip, write_folders

FLAGGING = Path(__file__).parents[1] / "flagging_calibration.toml"


def label(analysis: Analysis, calibration: Calibration) -> str:
    if analysis.p_value is None:
        return "not_assessable"
    return "manipulation_likely" if analysis.p_value <= calibration.likely_p else "inconclusive"


@pytest.fixture(scope="module")
def faces(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = write_folders(tmp_path_factory.mktemp("faces") / "set", 2)
    write_clip(root / "fake" / "clip.mp4")
    Image.new("RGB", (200, 200)).save(root / "real" / "black.png")
    (root / "real" / "broken.png").write_bytes((root / "real" / "0.png").read_bytes()[:5000])
    return root


def timeless(told: object) -> object:
    """Without what the clock says."""
    if isinstance(told, dict):
        return {key: timeless(value) for key, value in told.items() if key != "seconds"}
    return [timeless(value) for value in told] if isinstance(told, list) else told


def test_files_go_through_the_line_and_come_out_as_a_report(faces: Path, tmp_path: Path) -> None:
    wish = Wish(faces, ("meso4",), FLAGGING)
    told = evaluate(wish, label, tmp_path / "out")
    assert (told["items"], told["errors"]) == (7, {"corrupt_media": 1})
    vote = told["overall"]["ensemble"]
    assert (vote["judged_reals"], vote["judged_fakes"], vote["outcomes"]["not_assessable"]) == (2, 3, 1)
    assert vote["flagged_genuine"]["count"] == 2  # this calibration finds every face manipulated
    assert told["used"]["meso4"] == {"not used": 6}
    evaluation.write(told, tmp_path / "out")
    assert json.loads((tmp_path / "out" / "metrics.json").read_text())["pipeline"] == told["pipeline"]
    assert "Could not be read: 1 corrupt_media." in (tmp_path / "out" / "report.md").read_text()
    plots = {path.name for path in (tmp_path / "out" / "plots").iterdir()}
    assert {"roc.png", "reliability.png", "scores-meso4.png", "confusion-ensemble.png", "outcomes.png"} <= plots
    kept = tmp_path / "out" / "items.jsonl"
    lines = kept.read_text().splitlines()
    kept.write_text("\n".join(lines[:3]) + "\n" + lines[3][:20])
    again = evaluate(wish, label, tmp_path / "out")
    assert timeless(again) == timeless(told)
    assert len(kept.read_text().splitlines()) == 7


def test_prepared_faces_are_judged_as_they_were_cut(faces: Path, tmp_path: Path) -> None:
    prepare.prepare(faces, tmp_path / "prepared", frames=2, workers=1)
    wish = Wish(tmp_path / "prepared", ("meso4",), FLAGGING, changed=True)
    told = evaluate(wish, label, None)
    whole = evaluate(Wish(faces, ("meso4",), FLAGGING), label, None)
    assert (told["overall"]["meso4"]["judged_reals"], told["overall"]["meso4"]["judged_fakes"]) == (2, 4)
    assert told["pipeline"] == whole["pipeline"]
    assert set(told["changes"]) == set(CHANGES)
    assert told["changes"]["half size"]["meso4"]["cost"]["low"] <= told["changes"]["half size"]["meso4"]["cost"]["high"]


def test_glances_between_the_frames_are_looked_at_and_changed_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sample = Sample("clip", make_clip(tmp_path / "clip.mp4", seconds=11, width=160, height=120), False, "g", "", "set")
    seen: list[Frame | Glance] = []
    monkeypatch.setattr(Analyzer, "analyze", lambda analyzer, pictures, info: seen.extend(pictures))
    judge = Files(("blink",), None)
    judge(sample, None)
    plain, seen[:] = list(seen), []
    judge(sample, CHANGES["half size"])
    judge.close()
    assert len(plain) == len(seen) > 100
    for before, after in zip(plain, seen, strict=True):
        assert (type(before), before.t) == (type(after), after.t)
        sides = [p.rgb.shape[:2] if isinstance(p, Frame) else p.grey.shape for p in (before, after)]
        assert (sides[0][0] // 2, sides[0][1] // 2) == tuple(sides[1])


def test_nothing_to_judge_is_told(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "real" / "empty.jpg").touch()
    with pytest.raises(DatasetError, match="None of the 1 files could be read"):
        evaluate(Wish(tmp_path, ("meso4",)), label, None)


def test_held_out_leaves_what_a_detector_learned_from(tmp_path: Path) -> None:
    learned = next(f"g{n}" for n in range(99) if part_of(f"g{n}") == "train")
    judged = next(f"g{n}" for n in range(99) if part_of(f"g{n}") == "judge")
    write_folders(tmp_path / "dfdc_train", 1)
    table, row = tmp_path / "index.csv", "path,label,group\ndfdc_train/{0}/0.png,{0},{1}\n"
    table.write_text(row.format("real", learned))
    with pytest.raises(DatasetError, match="learned from all of it"):
        evaluate(Wish(table, ("meso4",), held_out=True), label, None)
    table.write_text(row.format("fake", judged))
    assert evaluate(Wish(table, ("meso4",), held_out=True), label, None)["used"]["meso4"] == {"chosen by": 1}
