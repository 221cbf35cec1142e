from __future__ import annotations

from pathlib import Path

import pytest

from models import catalogue, manifest
from models.errors import WeightsError
from models.importers import install, trained
from tests.models.importers.test_onnx_file import means


def finished(out: Path) -> Path:
    (out / "weights").mkdir(parents=True)
    (out / "cards").mkdir()
    path = means(out / "weights" / "meso4.onnx")
    path.with_suffix(".learned").write_bytes(b"sixsix")
    table = f'[meso4]\nfile="meso4.onnx"\nsha256="{install.sha256_of(path)}"\nversion="1.0"\ntitle="T"\nlicence="L"\n'
    (out / "weights" / "manifest.toml").write_text(f'{table}kinds=["face_swap"]\n')
    (out / "cards" / "meso4.md").write_text("# T\n\n## Where it fails\n")
    return out


def test_a_run_takes_the_place_of_what_ships_and_is_taken_away_whole(weights: Path, tmp_path: Path) -> None:
    (entry,) = trained.run(finished(tmp_path / "run"))
    assert entry.folder == weights / "local"
    assert entry.version == f"1.0-{entry.sha256[:8]}"
    assert entry.path.with_suffix(".learned").read_bytes() == b"sixsix"
    assert catalogue.card("meso4", entry).startswith("# T")
    install.remove("meso4")
    assert sorted(path.name for path in (weights / "local").iterdir()) == ["manifest.toml"]


def test_an_unfinished_run_or_an_altered_file_is_refused(weights: Path, tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match="holds no finished run"):
        trained.run(tmp_path)
    out = finished(tmp_path / "run")
    (out / "weights" / "meso4.onnx").write_bytes(b"other")
    with pytest.raises(WeightsError, match="not the file of its manifest"):
        trained.run(out)
    assert manifest.read() == {}
