"""Proven on clips that are made here: the fakes' faces carry a fine grid."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from models import manifest
from models.errors import WeightsError
from models.importers import sequence as importer
from models.networks import resnext
from models.training import sequence, split, torch_loop
from models.training.plan import Wish
from models.training.shard import Item
from models.training.torch_loop import Plan
from models.training.tracks import Tracks

FRAMES = 10
SIDE = 32  # of a face: the network takes any, and this one is quick


@pytest.fixture(autouse=True)
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    """One block a stage, and little memory: the same parts, a fifth of the weights."""
    monkeypatch.setattr(resnext, "STAGES", tuple((planes, 1, stride) for planes, _, stride in resnext.STAGES))


@pytest.fixture(scope="module")
def people(tmp_path_factory: pytest.TempPathFactory) -> Tracks:
    folder = tmp_path_factory.mktemp("people")
    rng = np.random.default_rng(0)
    by_part: dict[str, list[str]] = {"train": [], "judge": [], "calibrate": []}
    for i in range(200):
        by_part[split.part_of(f"g{i}")].append(f"g{i}")
    groups = [*by_part["train"][:8], *by_part["judge"][:4]]
    items = tuple(Item(f"{i}.mp4", ("real", "fake")[i % 2], group, "", "mine") for i, group in enumerate(groups))
    files = tuple(folder / f"{i}.npy" for i in range(len(items)))
    for i, file in enumerate(files):
        faces = np.repeat(rng.integers(60, 180, (6 + i, 1, 1, 3), dtype=np.uint8), SIDE, axis=1).repeat(SIDE, axis=2)
        faces[:, :: 2 if i % 2 else 200] += 50
        np.save(file, faces)
    return Tracks(items, files)


def test_it_learns_and_its_file_is_a_detector(people: Tracks, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sequence.tracks, "prepare", lambda *_: people)
    monkeypatch.setattr(sequence.listing, "clips", lambda data, most: sequence.listing.Listing(data, people.items))
    monkeypatch.setattr(torch_loop, "FEWEST_WORKERS", 0)  # threads of other tests do not outlive a fork
    monkeypatch.setattr(sequence, "started", lambda start: resnext.Sequence(24))
    out = tmp_path / "out"
    made = sequence.run(tmp_path, out, Wish(epochs=1), FRAMES)
    told = json.loads((out / "metrics.json").read_text())
    assert (made.clips, told["clips"]) == (4, 4)
    assert told["training"]["steps"] == 2
    name = f"model_{round(100 * made.accuracy)}_acc_10_frames_FF_data.pt"
    assert (out / name).is_file()
    assert (out / f"{name.removesuffix('.pt')}.learned").is_file()
    assert "sequence 10 frames" in (out / "cards" / "runs.md").read_text()
    weights = tmp_path / "weights"
    weights.mkdir()
    monkeypatch.setattr(manifest, "WEIGHTS", weights)
    entry = importer.run([out / name], over_time=True)
    assert [(part["frames"], part["recurrence"]) for part in entry.parts] == [(10, "over time")]


def test_what_it_says_is_what_is_served(people: Tracks) -> None:
    network = resnext.Sequence(24).eval()
    faces = sequence.spread(people.faces(0), FRAMES)
    with torch.no_grad():
        features = resnext.Extractor(network)(torch.from_numpy(faces))
        p_fake, _ = resnext.Head(network, over_time=True)(features)
    assert sequence.scores(network, people, np.array([0]), FRAMES)[0] == pytest.approx(float(p_fake[0]), rel=1e-4)


def test_a_short_clip_is_spread_over_the_whole_length(people: Tracks) -> None:
    assert sequence.spread(people.faces(0), FRAMES).shape == (10, SIDE, SIDE, 3)
    assert len(sequence.spread(people.faces(11), FRAMES)) == 10


def test_it_starts_from_a_file_or_says_that_it_does_not(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    known = resnext.Sequence(24)
    torch.save(known.state_dict(), tmp_path / "known.pt")
    network = sequence.started(tmp_path / "known.pt", hidden=8)
    assert torch.equal(network.model[0].weight, known.model[0].weight)
    torch.save({"fc.weight": torch.ones(2)}, tmp_path / "other.pt")
    with pytest.raises(WeightsError, match="holds no ResNeXt50"):
        sequence.started(tmp_path / "other.pt", hidden=8)
    sequence.started(None, hidden=8)
    assert "no --start FILE" in caplog.text


def test_batches_depend_on_the_step_alone(people: Tracks) -> None:
    sampler = split.Sampler(people.items, split.indices(people.items, "train"), {})
    first, again, other = (sequence._batch(people, sampler, Plan(1, 1, batch=2), 5, step) for step in (3, 3, 4))
    assert first.faces.shape == (2, 5, SIDE, SIDE, 3)
    assert (first.faces == again.faces).all()
    assert first.faces.tolist() != other.faces.tolist()
