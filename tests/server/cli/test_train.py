from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from server.cli.train import train


def test_blend_gets_its_options(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from models.training import blend

    called: list[Any] = []
    monkeypatch.setattr(blend, "run", lambda *arguments: called.extend(arguments))
    options = [
        "--minutes",
        "2",
        "--resume",
        "--leave-out",
        "a",
        "--leave-out",
        "b",
        "--size",
        "128",
        "--blended",
        "0.2",
    ]
    done = CliRunner().invoke(train, ["blend", "--data", str(tmp_path), "--out", str(tmp_path / "out"), *options])
    assert done.exit_code == 0, done.output
    assert called[:6] == [tmp_path, tmp_path / "out", 2.0, 1, True, ("a", "b")]
    assert (called[6].side, called[6].made, called[7]) == (128, 0.2, 16)


def test_an_unknown_recipe_is_refused_with_the_choices(tmp_path: Path) -> None:
    done = CliRunner().invoke(train, ["blond", "--data", str(tmp_path), "--out", str(tmp_path)])
    assert done.exit_code == 2
    assert "'blend', 'meso4'" in done.output
