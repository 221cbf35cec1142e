from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from models import catalogue, manifest
from models.errors import DatasetError
from models.evaluate import for_page
from models.evaluate.figures import curves, figures
from models.evaluate.measure import scores
from models.evaluate.run import Heard, Result
from models.evaluate.samples import Sample

NOTES = [
    {"step": 1, "seconds": 1.0, "loss": 0.98765},
    *({"step": step, "seconds": 2.0, "loss": 0.5} for step in range(2, 300)),
    {"step": 300, "seconds": 3.0, "judged": 0.9},
]


def measured(digest: str) -> dict[str, object]:
    samples = [Sample(f"{n}", Path(), n % 2 == 0, f"{n}", "", "set") for n in range(40)]
    said = {
        sample.name: Result(
            sample.name, "", "p", 0.1, "inconclusive", 0.5, (), {"meso4": Heard(n / 40, "uncertain", 3, None)}
        )
        for n, sample in enumerate(samples)
    }
    scored = scores(samples, said, "meso4")
    row = {**figures(scored), "curves": curves(scored)}
    told = {"path": "faces", "date": "2026-11-21", "pipeline": "p", "about": "", "used": {"meso4": {"not used": 40}}}
    return {**told, "weights": {"meso4": digest}, "overall": {"meso4": row}, "by_set": {"set": {"meso4": row}}}


@pytest.fixture
def weights(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> manifest.Entry:
    shipped = manifest.read_one(manifest.WEIGHTS)["meso4"]
    shutil.copy(shipped.path, tmp_path)
    shutil.copy(manifest.WEIGHTS / manifest.FILE, tmp_path)
    monkeypatch.setattr(manifest, "WEIGHTS", tmp_path)
    return manifest.entry("meso4")


def test_the_page_gets_figures_curves_and_layers_while_the_weights_are_the_same(weights: manifest.Entry) -> None:
    for_page.after_training(weights.path, weights.digest, NOTES)
    (path,) = for_page.write(measured(weights.digest))
    details = next(entry["details"] for entry in catalogue.catalogue() if entry["name"] == "meso4")
    assert details["evaluation"]["by_set"]["set"]["reals"] == 20
    assert len(details["evaluation"]["curves"]["roc"]) > 2
    assert details["training"]["losses"][0] == {"step": 1, "loss": 0.9877}
    assert details["training"]["judged"] == [{"step": 300, "judged": 0.9}]
    assert path.stat().st_size < 20_000
    path.write_text(json.dumps({**details, "sha256": "of others"}))
    assert next(entry["details"] for entry in catalogue.catalogue() if entry["name"] == "meso4") is None


def test_what_is_told_goes_with_the_weights(weights: manifest.Entry, tmp_path: Path) -> None:
    (tmp_path / "to").mkdir()
    for_page.carry(weights, tmp_path / "to")
    assert list((tmp_path / "to").iterdir()) == []
    told = for_page.after_training(weights.path, weights.digest, NOTES)
    for_page.carry(weights, tmp_path / "to")
    assert (tmp_path / "to" / "meso4.json").read_bytes() == told.read_bytes()


def test_layers_are_told_with_their_shapes(weights: manifest.Entry) -> None:
    first, conv, pool, *rest = for_page.architecture([weights.path])
    assert first == {"layer": "input", "shape": [256, 256, 3]}
    assert conv == {"layer": "Conv 3 x 3", "shape": [8, 256, 256]}
    assert pool == {"layer": "MaxPool", "shape": [8, 128, 128]}
    assert {"layer": "MatMul", "shape": [1]} in rest


def test_figures_of_other_weights_are_refused_and_forgotten(weights: manifest.Entry) -> None:
    with pytest.raises(DatasetError, match="Evaluate again"):
        for_page.write(measured("of others"))
    path = for_page.after_training(weights.path, "earlier", NOTES)
    for_page.write(measured(weights.digest))
    assert "training" not in json.loads(path.read_text())
