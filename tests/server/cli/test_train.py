from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from models.training.plan import Wish
from server.cli.train import train
from tests.server.cli.conftest import Unmask


def test_blend_gets_its_options(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from models.training import blend

    called: list[Any] = []
    monkeypatch.setattr(blend, "run", lambda *arguments: called.extend(arguments))
    words = "--minutes 2 --resume --leave-out a --leave-out b --size 128 --blended 0.2 --limit 9 --ilimit 5"
    done = CliRunner().invoke(train, ["blend", "--data", str(tmp_path), "--out", str(tmp_path / "out"), *words.split()])
    assert done.exit_code == 0, done.output
    assert called[:4] == [tmp_path, tmp_path / "out", Wish(2.0, None, 1, True), ("a", "b")]
    assert (called[4].side, called[4].made, called[5], called[6]) == (128, 0.2, 16, 5)


def test_results_go_to_a_folder_named_after_the_recipe(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from models.training import meso_video

    called: list[Any] = []
    monkeypatch.setattr(meso_video, "run", lambda *arguments: called.extend(arguments))
    done = CliRunner().invoke(train, ["meso4-video", "--data", str(tmp_path), "--epochs", "3", "--vlimit", "7"])
    assert done.exit_code == 0, done.output
    assert called == [tmp_path, Path("runs/meso4-video"), Wish(None, 3.0), 7]
    assert "unmask models install runs/meso4-video" in done.output


def test_an_unknown_recipe_is_refused_with_the_choices(tmp_path: Path) -> None:
    done = CliRunner().invoke(train, ["blond", "--data", str(tmp_path), "--out", str(tmp_path)])
    assert done.exit_code == 2
    assert "'blend', 'meso4'" in done.output


def test_the_train_extra_is_asked_for_by_name(unmask: Unmask, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in sys.modules if name.split(".")[0] == "torch" or name.startswith("models.training")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "torch", None)
    done = unmask("train", "blend", "--data", str(tmp_path), "--out", str(tmp_path / "out"))
    assert done.exit_code == 1
    assert "Training needs the `train` extra (torch is missing)" in done.output


def test_data_without_both_labels_is_refused(unmask: Unmask, tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "real" / "a.jpg").touch()
    done = unmask("train", "meso4", "--data", str(tmp_path), "--out", str(tmp_path / "out"))
    assert done.exit_code == 1
    assert "none is labelled fake" in " ".join(done.output.split())
