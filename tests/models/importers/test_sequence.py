from __future__ import annotations

from pathlib import Path

import numpy as np
import onnxruntime as ort
import pytest
import torch

from models import catalogue, manifest, registry
from models.errors import WeightsError
from models.importers import sequence
from models.networks import resnext
from models.types import Abstained, Context, Face, MediaInfo, Score

HIDDEN = 24  # the published 2048 would only make the test slow: it is read off the file


def state(seed: int = 0, bias: bool = False) -> dict[str, torch.Tensor]:
    torch.manual_seed(seed)
    return resnext.Sequence(HIDDEN, bias).eval().state_dict()


def faces(count: int) -> list[Face]:
    rng = np.random.default_rng(0)
    crops = rng.integers(0, 256, (count, 256, 256, 3), dtype=np.uint8)
    return [Face(i / 2, (0, 0, 9, 9), 1.0, crop, np.zeros((68, 2), np.float32)) for i, crop in enumerate(crops)]


def asked(frames: int) -> Context:
    return Context(MediaInfo("video", "video/mp4", 640, 360, 30.0, 900), frames)


def test_its_keys_are_the_published_ones() -> None:
    with torch.device("meta"):
        network = resnext.Sequence()
    keys = network.state_dict()
    assert len(keys) == 322
    assert sum(parameter.numel() for parameter in network.parameters()) == 56_538_434
    assert keys["lstm.weight_hh_l0"].shape == (8192, 2048)
    assert keys["linear1.weight"].shape == (2, 2048)
    assert keys["model.4.0.downsample.1.running_var"].shape == (256,)
    assert keys["model.7.2.conv2.weight"].shape == (1024, 32, 3, 3)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three files that share an extractor, imported: exporting it takes six seconds."""
    folder = tmp_path_factory.mktemp("weights")
    whole = state()
    files = [folder / f"model_{name}_frames_FF_data.pt" for name in ("84_acc_10", "80_acc_40", "89_acc_40")]
    for i, path in enumerate(files):
        whole["linear1.bias"] = torch.tensor([float(i), 0.0])
        torch.save(whole, path)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(manifest, "WEIGHTS", folder)
        sequence.run(files)
    return folder


def test_files_become_a_detector_that_picks_by_length(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(manifest, "WEIGHTS", folder)
    entry = manifest.entry("sequence")
    assert [(part["frames"], part["accuracy"]) for part in entry.parts] == [(10, 84.0), (40, 80.0), (40, 89.0)]
    assert len({part["features"] for part in entry.parts}) == 1, "the same weights are one extractor"
    assert "| 40 | 89 %" in catalogue.card("sequence", entry)
    detector = registry.load("sequence", 1)
    first, second = (detector.score(faces(12), asked(frames)) for frames in (10, 60))
    assert isinstance(first, Score)
    assert isinstance(second, Score)
    assert (first.note, first.per_face) == ("the file for 10 frames", ())
    assert second.note == "no file for 60 frames is installed: the file for 40 frames, the nearest, judged"
    assert len(second.per_face) == 12
    assert second.p_fake > first.p_fake, "the most accurate of the two for 40 frames is the one with the bias of 2"
    assert detector.score(faces(4), asked(10)) == Abstained("too_few_frames")
    assert detector.score([], asked(10)) == Abstained("no_face")


def test_biases_of_the_recurrence_are_kept_when_there_are_some(tmp_path: Path) -> None:
    path = tmp_path / "model_93.5_acc_20_frames_FF_data.pt"
    torch.save(state(1, bias=True), path)
    network = sequence.load(path)
    head, features = resnext.Head(network), torch.rand(5, resnext.FEATURES)
    assert network.lstm.bias_ih_l0.abs().max() > 0
    assert sequence.export(head, features, ("features", "p_fake", "per_face"), tmp_path / "head.onnx") < 1e-3


def test_onnx_answers_as_torch_does_on_bgr_and_class_0_is_fake(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(manifest, "WEIGHTS", folder)
    part = manifest.entry("sequence").parts[-1]
    network = sequence.load(folder / "model_89_acc_40_frames_FF_data.pt")
    crops = np.random.default_rng(1).integers(0, 256, (6, 112, 112, 3), dtype=np.uint8)
    rgb = torch.tensor(crops.astype(np.float32) / 255)
    mean, std = torch.tensor([0.485, 0.456, 0.406]), torch.tensor([0.229, 0.224, 0.225])
    x = ((rgb[..., [2, 1, 0]] - mean) / std).permute(0, 3, 1, 2)
    with torch.no_grad():
        features = network.model(x).mean(dim=(2, 3))
        seen, _ = network.lstm(features[None])  # as published: one step, the frames side by side
        wanted = network.linear1(seen.mean(dim=1)).softmax(dim=1)[0, 0]
        last = network.linear1(seen[:, -1]).softmax(dim=1)[0, 0]
        over_time = network.linear1(network.lstm(features[:, None])[0].mean(dim=0)).softmax(dim=1)[0, 0]
    local = folder / "local"
    given = ort.InferenceSession(local / part["features"]).run(None, {"crops": crops})[0]
    assert np.abs(given - features.numpy()).max() < 1e-3 * float(features.abs().max())
    (p_fake,), per_face = ort.InferenceSession(local / part["head"]).run(None, {"features": given})
    assert p_fake == pytest.approx(float(wanted), rel=1e-3)
    assert per_face[-1] == pytest.approx(float(last), rel=1e-3)
    for head, value in ((resnext.Head(network, "last"), last), (resnext.Head(network, over_time=True), over_time)):
        with torch.no_grad():
            assert float(head(features)[0]) == pytest.approx(float(value), rel=1e-5)


def test_others_are_refused(weights: Path, tmp_path: Path) -> None:
    path = tmp_path / "model_90_acc_20_frames_FF_data.pt"
    whole = state()
    wrong = {**whole, "model.0.weight": torch.zeros(64, 3, 5, 5)}
    lacking = {key: value for key, value in whole.items() if key != "model.7.2.bn3.bias"}
    for content, words in ((wrong, "model.0.weight"), (lacking, "bn3.bias"), ({"a": torch.ones(1)}, "lstm")):
        torch.save(content, path)
        with pytest.raises(WeightsError, match=f"another network.*{words}"):
            sequence.run([path])
    torch.save(whole, tmp_path / "mine.pt")
    with pytest.raises(WeightsError, match="name the file"):
        sequence.run([tmp_path / "mine.pt"])
    assert manifest.read() == {}
