from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from pathlib import Path

import pytest

from models import catalogue, pipeline, registry, runtime
from models.calibrate import load
from models.errors import UnknownDetector, WeightsError

FLAGGING = Path(__file__).parent / "flagging_calibration.toml"


def test_every_detector_is_listed_with_its_card() -> None:
    listed = catalogue.catalogue()
    assert [entry["name"] for entry in listed] == list(registry.DETECTORS)
    json.dumps(listed)
    for entry in listed:
        assert entry["installed"]
        assert "Where it fails" in entry["card"]
        assert entry["kinds"]


def test_weights_are_those_of_the_manifest_and_small() -> None:
    for entry in catalogue.manifest().values():
        content = (catalogue.WEIGHTS / entry.file).read_bytes()
        assert hashlib.sha256(content).hexdigest() == entry.sha256
    assert sum(path.stat().st_size for path in catalogue.WEIGHTS.glob("*.onnx")) < 30_000_000


def test_a_detector_without_weights_says_what_to_do(tmp_path: Path) -> None:
    (entry,) = catalogue.catalogue(tmp_path, tmp_path)
    assert not entry["installed"]
    assert "unmask train meso4" in entry["status"]
    with pytest.raises(WeightsError, match="unmask train meso4"):
        catalogue.entry("meso4", tmp_path)


def test_a_broken_manifest_is_named(tmp_path: Path) -> None:
    (tmp_path / "manifest.toml").write_text("[meso4]\nfile = 3")
    with pytest.raises(WeightsError, match="manifest"):
        catalogue.manifest(tmp_path)


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
        registry.known(["meso5"])
    with pytest.raises(UnknownDetector, match="meso4"):
        registry.load("meso5", 1)
    assert registry.known(None) == tuple(registry.DETECTORS)


def test_every_registered_detector_can_be_loaded() -> None:
    for name in registry.DETECTORS:
        assert registry.load(name, 1).name == name


def test_altered_weights_are_refused(tmp_path: Path) -> None:
    entry = catalogue.entry("meso4")
    content = bytearray((catalogue.WEIGHTS / entry.file).read_bytes())
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
