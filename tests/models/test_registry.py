"""Adding a detector takes one file and one line: the README's own example, run."""

from __future__ import annotations

import re
from pathlib import Path
from typing import get_args

import pytest

from models import manifest, registry
from models.analyze import Analyzer
from models.errors import UnknownFinder
from models.types import Frame, MediaInfo, Rgb
from server.settings import FaceFinder, Settings
from tests.models.conftest import FLAGGING

README = Path(__file__).parents[2] / "README.md"
CLIP = MediaInfo("video", "video/mp4", 512, 512, 2.0, 4)


def test_the_readmes_example_is_a_detector(portrait: Rgb, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    section = README.read_text(encoding="utf-8").partition("### How to add a detector")[2]
    file, line = re.findall(r"```python\n(.*?)```", section, re.DOTALL)[:2]
    assert len(file.splitlines()) <= 60
    assert line.count("\n") == 1
    (tmp_path / "sharpness.py").write_text(file)
    monkeypatch.syspath_prepend(tmp_path)
    added = eval("{" + line.replace("models.detectors.sharpness", "sharpness") + "}", {"Line": registry.Line})
    monkeypatch.setattr(registry, "DETECTORS", {**registry.DETECTORS, **added})
    analyzer = Analyzer(FLAGGING)
    analysis = analyzer.analyze([Frame(portrait, i / 2, i) for i in range(4)], CLIP)
    still = analyzer.analyze([Frame(portrait, 0.0, 0)], CLIP)
    analyzer.close()
    report = next(report for report in analysis.detectors if report.name == "sharpness")
    assert report.score is not None
    assert 0 < report.score < 1
    assert (report.weight, report.reason) == (0.0, "not_calibrated")
    assert analysis.probability is not None
    assert [r.reason for r in still.detectors if r.name == "sharpness"] == ["too_few_frames"]
    assert "sharpness" in registry.installed()


def test_weights_that_are_gone_are_told_when_the_work_begins(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    assert registry.missing() == ()
    for path in manifest.WEIGHTS.glob("*.*"):
        if path.name != "blend.onnx":
            (tmp_path / path.name).symlink_to(path)
    monkeypatch.setattr(manifest, "WEIGHTS", tmp_path)
    assert registry.missing() == ("blend",)
    analyzer = Analyzer(FLAGGING)
    assert "blend" not in analyzer.detectors
    assert "the weights of blend are gone" in caplog.text


def test_a_finder_nobody_knows_is_refused_with_the_choices() -> None:
    with pytest.raises(UnknownFinder, match="Choose from: centerface, hog, cnn"):
        registry.finder("yolo")
    with pytest.raises(UnknownFinder):
        Analyzer(FLAGGING, finder="yolo")


def test_the_settings_offer_every_finder() -> None:
    assert get_args(FaceFinder) == tuple(registry.FINDERS)
    assert Settings().face_finder == registry.DEFAULT_FINDER
