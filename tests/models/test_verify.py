from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from models import catalogue, manifest, verify
from tests.models.importers.test_onnx_file import TABLE, means
from tests.server.cli.conftest import Unmask, unmask  # noqa: F401


@pytest.fixture
def weights(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of what ships as Meso-4, alone."""
    folder = tmp_path / "weights"
    folder.mkdir()
    entry = manifest.read_one(manifest.WEIGHTS)["meso4"]
    shutil.copyfile(entry.path, folder / "meso4.onnx")
    table = f'[meso4]\nfile="meso4.onnx"\nsha256="{entry.sha256}"\nversion="1"\ntitle="T"\nlicence="L"\nkinds=[]\n'
    (folder / "manifest.toml").write_text(table)
    monkeypatch.setattr(manifest, "WEIGHTS", folder)
    return folder


def test_what_ships_is_as_it_should_be(tmp_path: Path) -> None:
    checks = list(verify.verify(tmp_path))
    assert {check.name for check in checks} >= {"meso4", "blend"}
    assert [check for check in checks if check.result == "failed"] == []
    assert {check.result for check in checks if check.what == "parity"} == {"not checked"}
    assert {check.result for check in checks if check.what != "parity"} == {"ok"}


def test_an_altered_file_is_named_and_not_run(weights: Path, tmp_path: Path) -> None:
    content = bytearray((weights / "meso4.onnx").read_bytes())
    content[1000] ^= 1
    (weights / "meso4.onnx").write_bytes(content)
    checks = {check.what: check for check in verify.verify(tmp_path)}
    assert set(checks) == {"hash", "card"}
    assert checks["hash"].result == "failed"
    assert "not the file of its manifest" in checks["hash"].detail
    (weights / "meso4.onnx").unlink()
    assert "is missing" in next(verify.verify(tmp_path)).detail


def test_a_card_must_tell_how_well_and_where_it_fails(
    weights: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(catalogue, "CARDS", tmp_path)
    assert _card(tmp_path).detail.startswith("there is none")
    (tmp_path / "meso4.md").write_text("# Meso-4\n\n## How well\n\nVery.\n")
    assert _card(tmp_path).detail == "it does not tell: Where it fails"


def _card(runs: Path) -> verify.Check:
    return next(check for check in verify.verify(runs) if check.what == "card")


def test_a_file_that_does_not_run_is_named(weights: Path, tmp_path: Path) -> None:
    from models.importers.install import sha256_of

    (weights / "meso4.onnx").write_bytes(b"no graph")
    text = (weights / "manifest.toml").read_text()
    old = text.split('sha256="')[1].split('"')[0]
    (weights / "manifest.toml").write_text(text.replace(old, sha256_of(weights / "meso4.onnx")))
    loads = next(check for check in verify.verify(tmp_path) if check.what == "loads")
    assert loads.result == "failed"


def test_a_classifier_that_was_dropped_in_is_run_as_it_wants(weights: Path, tmp_path: Path) -> None:
    from models.importers import onnx_file

    onnx_file.run("mean_colour", means(tmp_path / "m.onnx"), {**TABLE, "output": "means", "index": 0})
    found = {check.what: check.result for check in verify.verify(tmp_path) if check.name == "mean_colour"}
    assert found["loads"] == "ok"
    assert found["parity"] == "not checked"


def test_the_exit_status_tells(unmask: Unmask, weights: Path, tmp_path: Path) -> None:  # noqa: F811
    words = ("models", "verify", "--runs", str(tmp_path / "none"))
    fine = unmask(*words, "--json")
    assert fine.exit_code == 0, fine.output
    assert [json.loads(line)["what"] for line in fine.stdout.splitlines()] == ["hash", "card", "loads", "parity"]
    (weights / "meso4.onnx").unlink()
    wrong = unmask(*words)
    assert wrong.exit_code == 1
    assert "failed" in wrong.stdout
