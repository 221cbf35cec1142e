from __future__ import annotations

import json
import re
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnxruntime as ort
import pytest
import torch

from models import calibrate, manifest
from models.errors import DatasetError
from models.training import blend, crops, publish, split, torch_export, torch_loop
from models.training.crops import Item, Shard
from models.training.pairs import Mix
from models.training.plan import Wish
from models.training.torch_loop import Plan
from models.types import Rgb

MIX = Mix(side=64, fakes={"a": 1.0}, people={"a": 1.0})
PLAN = Plan(minutes=60, seed=1, batch=8, most_steps=3, warm_up=1, save_seconds=0.0, workers=0)
SHORT = 11  # blocks


@pytest.fixture(scope="module")
def shard(portrait: Rgb) -> Shard:
    """Fakes carry a fine checkerboard over the mouth."""
    rgb, landmarks = crops.cut_with_landmarks(portrait, blend.CUTTING)
    assert landmarks is not None
    by_part: dict[str, list[str]] = {"train": [], "judge": [], "calibrate": []}
    for i in range(2000):
        by_part[split.part_of(f"g{i}")].append(f"g{i}")
    groups = by_part["train"][:20] + by_part["judge"][:30] + by_part["calibrate"][:260]
    sets = ["b" if i % 10 > 7 else "a" for i in range(len(groups))]
    items = tuple(
        Item(f"{name}/{i}.png", ("real", "fake")[i % 2], group, "swap", name, "landmarks")
        for i, (name, group) in enumerate(zip(sets, groups, strict=True))
    )
    fake = rgb.copy()
    fake[180:240, 100:200] += (np.indices((60, 100)).sum(axis=0) % 2 * 40).astype(np.uint8)[..., None]
    pictures = np.stack([rgb, fake])[np.arange(len(items)) % 2]
    return Shard(pictures, items, np.repeat(landmarks[None], len(items), axis=0), blend.CUTTING)


@pytest.fixture(scope="module")
def trained(shard: Shard, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, blend.lite0.BlendNet, blend.Trained]:
    out = tmp_path_factory.mktemp("blend")
    _, first = blend.train(shard, out / "work", PLAN, False, MIX, ("b",), SHORT)
    assert first.steps == 3
    network, resumed = blend.train(shard, out / "work", replace(PLAN, most_steps=5), True, MIX, ("b",), SHORT)
    assert resumed.seconds > first.seconds
    return out, network, resumed


def test_it_survives_a_kill_and_notes_its_progress(trained: tuple[Path, blend.lite0.BlendNet, blend.Trained]) -> None:
    out, network, resumed = trained
    assert resumed.steps == 5
    assert resumed.images == 40
    assert not network.training
    notes = [json.loads(line) for line in (out / "work" / "progress.jsonl").read_text().splitlines()]
    assert [note["step"] for note in notes if "loss" in note] == [3, 5]
    assert all(note["images_per_second"] > 0 for note in notes if "loss" in note)


def test_the_published_file_answers_as_the_network_and_is_measured(
    trained: tuple[Path, blend.lite0.BlendNet, blend.Trained], shard: Shard
) -> None:
    out, network, resumed = trained
    (out / "index.csv").write_text("path,label,group,method,source_width\n")
    exported = blend.exported(network, shard, out, MIX.side)
    assert exported.parity < torch_export.PARITY
    p_fake, mask = ort.InferenceSession(str(exported.path), providers=["CPUExecutionProvider"]).run(
        None, {"crops": np.zeros((3, 256, 256, 3), np.uint8)}
    )
    assert p_fake.shape == (3,)
    assert mask.shape == (3, 8, 8)
    publish.publish(exported, blend.WORDS, resumed, shard, out, out, seed=1, left_out=("b",))
    (entry,) = manifest.read(out / "weights").values()
    assert (entry.name, entry.sha256, entry.trained_on) == ("blend", exported.sha256, "a")
    calibration = calibrate.load(out / "weights" / "calibration.toml")
    assert calibration.dataset == "held-out groups of a"
    assert calibration.detectors["blend"].weights == exported.sha256
    card = (out / "cards" / "blend.md").read_text()
    assert "Where it fails" in card
    assert re.search(r"^\| b \|", card, re.MULTILINE), "the set that was left out is measured"
    assert "| blend 1.0" in (out / "cards" / "runs.md").read_text()


def test_an_export_that_differs_is_refused(
    trained: tuple[Path, blend.lite0.BlendNet, blend.Trained], shard: Shard
) -> None:
    out, network, _ = trained
    exported = blend.exported(network, shard, out, MIX.side)
    other = blend.lite0.Serving(blend.lite0.BlendNet(SHORT), 256, MIX.side).eval()
    with pytest.raises(torch_export.ParityError, match="at most"):
        torch_export.check_parity(other, exported.path, np.asarray(shard.crops[:2, 22:278, 22:278]))


@pytest.mark.parametrize(("known", "counts"), [(0, False), (1, True)])
def test_a_mask_counts_only_where_it_is_known(known: int, counts: bool) -> None:
    network = blend.lite0.BlendNet(SHORT).eval()
    crops, fake, masked = np.zeros((2, 64, 64, 3), np.uint8), np.array([1, 0], np.float32), np.array([known, 1], "f4")
    masks = np.zeros((2, 2, 8, 8), np.float32)
    masks[1, 0] = 1
    with torch.no_grad():
        dark, lit = (
            float(blend.loss(network, blend.Batch(crops, fake, mask, masked), torch.device("cpu"))) for mask in masks
        )
    assert (abs(dark - lit) > 1e-4) == counts


@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
def test_batches_of_worker_processes_are_those_of_one_process() -> None:
    loader = torch_loop._batches(_squares, replace(PLAN, workers=2), 5)
    assert [next(loader).tolist() for _ in range(4)] == [[step, step**2] for step in range(5, 9)]


@pytest.mark.skipif(sys.platform != "linux", reason="asks the kernel")
def test_no_worker_outlives_a_killed_run() -> None:
    code = (
        "import os, time; from models.training import torch_loop as t; import numpy as np;"
        "loader = t._batches(lambda step: np.full(100_000, os.getpid()), t.Plan(1, 1), 0);"
        "print(*{int(next(loader)[0]) for _ in range(4)}, flush=True); time.sleep(60)"
    )
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) as run:
        assert run.stdout is not None
        workers = [int(word) for word in run.stdout.readline().split()]
        run.kill()
    assert len(workers) == 2
    until = time.monotonic() + 5
    while (alive := [pid for pid in workers if _runs(pid)]) and time.monotonic() < until:
        time.sleep(0.05)
    assert not alive


def _runs(pid: int) -> bool:
    stat = Path(f"/proc/{pid}/stat")
    return stat.exists() and stat.read_text().rpartition(")")[2].split()[0] != "Z"


def _squares(step: int) -> np.ndarray:
    return np.array([step, step**2])


def test_an_index_of_one_label_is_refused(tmp_path: Path) -> None:
    (tmp_path / "index.csv").write_text("path,label,group,method,source_width\nother/a.jpg,real,g,none,\n")
    with pytest.raises(DatasetError, match="both labels"):
        blend.run(tmp_path / "index.csv", tmp_path, Wish())
