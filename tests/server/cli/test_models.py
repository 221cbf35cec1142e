from __future__ import annotations

import json
import re
import sys
from pathlib import Path

import pytest

from models import manifest
from models.registry import DETECTORS
from tests.models.importers.test_onnx_file import means
from tests.server.cli.conftest import Unmask


def test_every_detector_is_listed(unmask: Unmask) -> None:
    done = unmask("models", "list")
    assert done.exit_code == 0
    assert [line.split()[0] for line in done.stdout.splitlines()] == list(DETECTORS)


def test_as_json(unmask: Unmask) -> None:
    entries = [json.loads(line) for line in unmask("models", "list", "--json").stdout.splitlines()]
    assert [entry["name"] for entry in entries] == list(DETECTORS)


def test_what_is_not_installed_says_what_to_do(unmask: Unmask, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(manifest, "WEIGHTS", tmp_path)
    assert "unmask train meso4" in unmask("models", "list").stdout


def test_a_file_that_was_only_dropped_in_is_named_with_its_command(
    unmask: Unmask, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(manifest, "WEIGHTS", tmp_path)
    (tmp_path / "model_93_acc_10_frames.pt").write_text("no weights")
    told = unmask("models", "list")
    assert told.exit_code == 0
    assert re.search(r"model_93_acc_10_frames\.pt: not imported: `unmask models import sequence ", told.stdout)
    as_json = unmask("models", "list", "--json")
    assert [json.loads(line)["name"] for line in as_json.stdout.splitlines()] == list(DETECTORS)
    assert "not imported" in as_json.stderr


@pytest.fixture
def weights(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "weights"
    folder.mkdir()
    monkeypatch.setattr(manifest, "WEIGHTS", folder)
    return folder


def test_a_classifier_in_onnx_is_imported_listed_and_removed(unmask: Unmask, weights: Path, tmp_path: Path) -> None:
    path = means(tmp_path / "m.onnx")
    words = ("--input-size", "32", "--fake-is", "low", "--output", "means", "--index", "1", "--licence", "MIT")
    done = unmask("models", "import", "mean_colour", str(path), *words)
    assert done.exit_code == 0, done.output
    assert "weight 0" in done.stdout
    assert re.search(r"^mean_colour +imported-\w+ +mean_colour: installed$", unmask("models", "list").stdout, re.M)
    assert unmask("models", "remove", "mean_colour").exit_code == 0
    assert "mean_colour" not in unmask("models", "list").stdout
    again = unmask("models", "remove", "mean_colour")
    assert "detector_not_installed" in again.output


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("efficientnet", "FILE"), "needs --input-size and --fake-is"),
        (("meso4", "FILE", "FILE"), "meso4 is one file"),
        (("sequence", "FILE"), "name the file model_ACCURACY"),
        (("meso4", "FILE"), "weights_error"),
        (("meso4", "FILE", "--known", "EMPTY"), "real has none"),
    ],
)
def test_what_cannot_be_imported_is_said(
    unmask: Unmask, weights: Path, tmp_path: Path, words: tuple[str, ...], said: str
) -> None:
    places = {"FILE": tmp_path / "m.h5", "EMPTY": tmp_path / "empty"}
    places["FILE"].write_text("only text")
    places["EMPTY"].mkdir()
    done = unmask("models", "import", *(str(places.get(word, word)) for word in words))
    assert done.exit_code in (1, 2)
    assert said in " ".join(done.output.split())
    assert manifest.read() == {}


def test_the_train_extra_is_asked_for_by_name(
    unmask: Unmask, weights: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in [name for name in sys.modules if name.split(".")[0] == "torch" or name.startswith("models.importers")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "torch", None)
    (tmp_path / "m.pt").touch()
    done = unmask("models", "import", "sequence", str(tmp_path / "m.pt"))
    assert done.exit_code == 1
    assert f"{sys.executable} -m pip install 'unmask[train]'" in done.output
    assert "torch is missing" in done.output


def test_only_installed_detectors_can_be_chosen(unmask: Unmask, weights: Path, tmp_path: Path) -> None:
    (tmp_path / "a.png").touch()
    done = unmask("check", "--detectors", "sequence", str(tmp_path / "a.png"))
    assert done.exit_code == 2
    assert "sequence is not installed" in done.output
    assert "unmask models import sequence" in " ".join(done.output.split())
