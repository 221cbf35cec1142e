"""What is kept of a run and what ends it, with a judge that answers by name."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from models import calibrate
from models.errors import CorruptMedia, DatasetError
from models.evaluate import run as runs
from models.evaluate.changes import Change
from models.evaluate.run import Result, run
from models.evaluate.samples import Sample
from models.types import Analysis, Coverage, DetectorReport

PROBLEMS = {
    "corrupt": CorruptMedia("damaged"),
    "gone": FileNotFoundError(),
    "locked": PermissionError(),
    "odd": ZeroDivisionError("a slip"),
}


class Toy:
    pipeline, detectors, calibration = "p1", ("toy",), calibrate.load()

    def __init__(self) -> None:
        self.asked: list[tuple[str, bool]] = []

    def __call__(self, sample: Sample, change: Change | None) -> Analysis:
        self.asked.append((sample.name, change is not None))
        if sample.name in PROBLEMS:
            raise PROBLEMS[sample.name]
        p = 0.9 if sample.fake else 0.1
        return Analysis(
            probability=p, interval=(p, p), p_value=0.5, fake_quantile=0.5, kinds=(), reasons=("blurred",),
            coverage=Coverage(1, 1, 1, 1, 0.0), segments=(), calibration="c", prior=0.5,
            detectors=(DetectorReport("toy", "1", "high", p, 1, 7), DetectorReport("mute", "1", "failed", None, 0, 0)),
        )  # fmt: skip

    def close(self) -> None:
        return None


def sample(name: str, fake: bool = False) -> Sample:
    return Sample(name, Path(name), fake, f"g-{name}", "swap" if fake else "", "set")


def label(analysis: Analysis, calibration: calibrate.Calibration) -> str:
    assert calibration is Toy.calibration
    return "manipulation_likely" if (analysis.probability or 0) > 0.5 else "inconclusive"


def timeless(results: list[Result]) -> list[Result]:
    return [replace(result, seconds=0.0) for result in results]


MANY = [sample(f"{n}", n % 2 == 0) for n in range(10)]


def test_every_sample_is_judged_plain_and_after_each_change() -> None:
    toy = Toy()
    results = run(MANY, toy, label, ["JPEG 50"], workers=2)
    assert [(result.name, result.change) for result in results] == [
        (one.name, change) for change in ("", "JPEG 50") for one in MANY
    ]
    assert sorted(toy.asked) == sorted((one.name, changed) for one in MANY for changed in (False, True))
    first = results[0]
    assert (first.label, first.probability, first.reasons) == ("manipulation_likely", 0.9, ("blurred",))
    assert first.detectors is not None
    assert first.detectors["toy"].score == 0.9
    assert first.detectors["mute"].band == "failed"


def test_a_file_that_cannot_be_judged_is_counted_and_ends_nothing(caplog: pytest.LogCaptureFixture) -> None:
    results = run([*(sample(name) for name in PROBLEMS), sample("fine")], Toy(), label)
    assert [result.error for result in results] == [
        "corrupt_media", "missing_file", "unreadable_file", "internal_error", None,
    ]  # fmt: skip
    assert "odd could not be judged" in caplog.text
    assert "a slip" in caplog.text


def test_a_resumed_run_equals_an_uninterrupted_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = run(MANY, Toy(), label, ["JPEG 70"], tmp_path / "whole.jsonl")
    kept = tmp_path / "half.jsonl"
    add, count = runs.JsonLines.add, iter(range(100))

    def killed(lines: runs.JsonLines, row: dict[str, object]) -> None:
        if next(count) == 7:
            raise KeyboardInterrupt
        add(lines, row)

    with monkeypatch.context() as patched:
        patched.setattr(runs.JsonLines, "add", killed)
        with pytest.raises(KeyboardInterrupt):
            run(MANY, Toy(), label, ["JPEG 70"], kept)
    with kept.open("a") as file:
        file.write('{"name": "to')
    toy = Toy()
    again = run(MANY, toy, label, ["JPEG 70"], kept)
    assert len(toy.asked) == 20 - 7
    assert timeless(again) == timeless(whole)
    asked_no_more = Toy()
    assert timeless(run(MANY, asked_no_more, label, ["JPEG 70"], kept)) == timeless(whole)
    assert asked_no_more.asked == []


def test_results_of_another_pipeline_do_not_count(tmp_path: Path) -> None:
    run(MANY, Toy(), label, kept=tmp_path / "kept.jsonl")
    other = Toy()
    other.pipeline = "p2"
    assert {result.pipeline for result in run(MANY, other, label, kept=tmp_path / "kept.jsonl")} == {"p2"}
    assert len(other.asked) == len(MANY)


def test_a_file_of_another_kind_is_not_added_to(tmp_path: Path) -> None:
    (tmp_path / "kept.jsonl").write_text('{"some": "thing"}\n')
    with pytest.raises(DatasetError, match="is not what an earlier run wrote"):
        run(MANY, Toy(), label, kept=tmp_path / "kept.jsonl")
