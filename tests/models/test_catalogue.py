from __future__ import annotations

import hashlib
import json
import pickle
import subprocess
import sys
from pathlib import Path

import pytest

from models import catalogue, manifest, pipeline, registry, runtime
from models.calibrate import load, of_weights
from models.errors import NotInstalled, UnknownDetector, WeightsError

FLAGGING = Path(__file__).parent / "flagging_calibration.toml"


def test_every_detector_is_listed_with_its_card() -> None:
    listed = catalogue.catalogue()
    assert [entry["name"] for entry in listed] == list(registry.names())
    json.dumps(listed)
    for entry in listed:
        assert "Where it fails" in entry["card"], entry["name"]
        assert entry["installed"] or entry["status"].startswith("not installed: ")
    assert [entry["kinds"] for entry in listed if entry["name"] == "meso4"] == [["face_swap"]]


def test_weights_are_those_of_the_manifest_and_small() -> None:
    for entry in manifest.read_one(manifest.WEIGHTS).values():
        assert hashlib.sha256(entry.path.read_bytes()).hexdigest() == entry.sha256
    assert sum(path.stat().st_size for path in manifest.WEIGHTS.glob("*.onnx")) < 30_000_000


def test_the_shipped_calibration_is_that_of_the_shipped_weights() -> None:
    digests = {name: entry.digest for name, entry in manifest.read_one(manifest.WEIGHTS).items()}
    shipped = load()
    assert shipped.detectors["meso4"].weights == digests["meso4"]
    assert of_weights(shipped, digests) == shipped
    assert of_weights(shipped, {"meso4": "others"}).detectors == {}


def test_a_detector_without_weights_says_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(manifest, "WEIGHTS", tmp_path)
    assert registry.chosen(None) == tuple(name for name in registry.DETECTORS if not registry.DETECTORS[name].weights)
    meso = next(entry for entry in catalogue.catalogue() if entry["name"] == "meso4")
    assert not meso["installed"]
    assert meso["title"].startswith("Meso-4"), "named by its card"
    assert "unmask train meso4" in meso["status"]
    with pytest.raises(NotInstalled, match="unmask train meso4"):
        registry.chosen(["meso4"])
    with pytest.raises(WeightsError, match="unmask models list"):
        manifest.entry("meso4")


def test_weights_that_nothing_uses_are_named_with_what_imports_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "models" / "weights"
    (folder / "local").mkdir(parents=True)
    monkeypatch.setattr(manifest, "WEIGHTS", folder)
    for name in ("model_93_acc_10_frames_FF_data.pt", "b7.keras", "local/MesoInception_DF.h5", "local/my net.onnx"):
        (folder / name).write_bytes(pickle.dumps("nobody reads this"))
    for name in ("used.onnx", "local/imported.pt", "local/notes.md"):
        (folder / name).touch()
    table = '[a]\nfile="used.onnx"\nsha256="b"\nversion="1"\ntitle="t"\nlicence="l"\nkinds=[]\n'
    (folder / "manifest.toml").write_text(table + 'source="imported from imported.pt"')
    told = " --input-size SIDE --fake-is high|low"
    assert [entry["status"] for entry in catalogue.unimported()] == [
        f"not imported: `unmask models import {words}`"
        for words in (
            f"efficientnet models/weights/b7.keras{told}",
            "sequence models/weights/model_93_acc_10_frames_FF_data.pt",
            "mesoinception4 models/weights/local/MesoInception_DF.h5",
            f"NAME 'models/weights/local/my net.onnx'{told}",
        )
    ]
    assert "sequence" not in registry.installed()


def test_what_is_local_takes_the_place_of_what_ships(tmp_path: Path) -> None:
    table = """[{}]
file = "a.onnx"
sha256 = "{}"
version = "2"
title = "T"
licence = "L"
kinds = ["face_swap"]
"""
    (tmp_path / "local").mkdir()
    (tmp_path / "manifest.toml").write_text(table.format("meso4", "1") + table.format("other", "1"))
    (tmp_path / "local" / "manifest.toml").write_text(table.format("meso4", "2"))
    entries = manifest.read(tmp_path)
    assert [(entry.sha256, entry.folder) for entry in entries.values()] == [("2", tmp_path / "local"), ("1", tmp_path)]


def test_what_ships_is_in_use_where_an_import_took_its_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    table = '[meso4]\nfile="{}"\nsha256="1"\nversion="1"\ntitle="t"\nlicence="l"\nkinds=["face_swap"]\n'
    (tmp_path / "local").mkdir()
    for folder, name in ((tmp_path, "meso4.onnx"), (tmp_path / "local", "imported.onnx")):
        (folder / "manifest.toml").write_text(table.format(name))
        (folder / name).touch()
    monkeypatch.setattr(manifest, "WEIGHTS", tmp_path)
    assert catalogue.unimported() == []


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("[meso4]\nfile = 3", "kinds"),
        ("[meso4", "Expected"),
        ('["../x"]\nfile="a"\nsha256="b"\nversion="1"\ntitle="t"\nlicence="l"\nkinds=[]', "no name"),
        ('[a]\nfile="a"\nversion="1"\ntitle="t"\nlicence="l"\nkinds=[]', "lacks file and sha256"),
        ('[a]\nfile="a"\nsha256="b"\npolarity="up"\nversion="1"\ntitle="t"\nlicence="l"\nkinds=[]', "polarity"),
        ('[a]\nfile="../b"\nsha256="b"\nversion="1"\ntitle="t"\nlicence="l"\nkinds=[]', "beside"),
        ('[a]\nfile=1\nsha256="b"\nversion="1"\ntitle="t"\nlicence="l"\nkinds=[]', "beside"),
        ('[a]\nparts=[{features="/b", head="c"}]\nversion="1"\ntitle="t"\nlicence="l"\nkinds=[]', "beside"),
        ('[a]\nparts=[1]\nversion="1"\ntitle="t"\nlicence="l"\nkinds=[]', "not understood"),
        ("a = 1", "not understood"),
    ],
)
def test_a_broken_manifest_is_named(tmp_path: Path, text: str, word: str) -> None:
    (tmp_path / "manifest.toml").write_text(text)
    with pytest.raises(WeightsError, match=f"manifest.toml.*{word}"):
        manifest.read(tmp_path)


def test_listing_loads_no_heavy_library() -> None:
    code = (
        "import sys, models.catalogue, models.calibrate, models.pipeline;"
        "models.catalogue.catalogue(); print(','.join(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = set(done.stdout.strip().split(","))
    assert not loaded & {"numpy", "cv2", "onnxruntime", "av", "PIL", "dlib", "tensorflow", "torch", "flask"}


def test_unknown_detector_lists_the_choices() -> None:
    with pytest.raises(UnknownDetector, match="Choose from: meso4"):
        registry.chosen(["meso5"])
    with pytest.raises(UnknownDetector, match="meso4"):
        registry.load("meso5", 1)


def test_every_installed_detector_can_be_loaded() -> None:
    assert "meso4" in registry.installed()
    for name in registry.installed():
        assert registry.load(name, 1).name == name


def test_altered_weights_are_refused(tmp_path: Path) -> None:
    entry = manifest.entry("meso4")
    content = bytearray(entry.path.read_bytes())
    content[1000] ^= 1
    (tmp_path / "meso4.onnx").write_bytes(content)
    with pytest.raises(WeightsError, match="not the one"):
        runtime.verified(tmp_path / "meso4.onnx", entry.sha256)
    with pytest.raises(WeightsError, match="cannot be read"):
        runtime.verified(tmp_path / "none.onnx", entry.sha256)


def test_the_pipeline_changes_with_the_calibration() -> None:
    flagging = load(FLAGGING)
    version = pipeline.version(flagging, ["meso4"])
    assert version.startswith(f"p{pipeline.CODE_VERSION}-")
    assert version == pipeline.version(flagging, ["meso4"])
    assert version != pipeline.version(flagging, [])


def test_the_pipeline_changes_with_the_finder() -> None:
    flagging = load(FLAGGING)
    versions = [pipeline.version(flagging, ["meso4"], finder) for finder in registry.FINDERS]
    assert len(set(versions)) == len(versions)
    assert pipeline.version(flagging, ["meso4"]) == versions[list(registry.FINDERS).index(registry.DEFAULT_FINDER)]
