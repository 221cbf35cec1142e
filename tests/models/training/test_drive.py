"""The course of a run: one that is killed for good goes on from its checkpoint, whatever framework learns."""

from __future__ import annotations

import itertools
import json
import subprocess
import sys
import time
from pathlib import Path

import pytest

from models.training.drive import drive
from models.training.plan import Budget

TORCH = """
import sys, time, numpy as np, torch
from pathlib import Path
from models.training import torch_loop
def make(step): time.sleep(0.02); return torch.full((4, 3), float(step))
net = torch.nn.Linear(3, 1)
often = {"save_seconds": 0.0, "judge_seconds": 0.1, "log_seconds": 0.0}
plan = torch_loop.Plan(60, 1, int(sys.argv[2]), batch=4, workers=0, **often)
_, made = torch_loop.fit(net, make, lambda n, x, d: n(x).square().mean(), lambda n: 0.5, plan, Path(sys.argv[1]), True)
print(made.steps)
"""
KERAS = """
import sys, time, numpy as np, keras
from pathlib import Path
from models.training import loop
def make(step): time.sleep(0.02); return np.full((4, 3), step, np.float32), np.ones((4, 1), np.float32)
net = keras.Sequential([keras.Input((3,)), keras.layers.Dense(1)])
plan = loop.Plan(60, 1, int(sys.argv[2]), save_seconds=0.0, judge_seconds=0.1, log_seconds=0.0, batch=4)
Path(sys.argv[1]).mkdir(exist_ok=True)
print(loop.fit(net, make, lambda n: 0.5, plan, Path(sys.argv[1]), True).steps)
"""


@pytest.mark.fault
@pytest.mark.parametrize("code", [TORCH, KERAS], ids=["torch", "keras"])
def test_a_killed_run_goes_on(code: str, tmp_path: Path) -> None:
    folder = tmp_path / "work"

    def command(steps: int) -> list[str]:
        return [sys.executable, "-c", code, str(folder), str(steps)]

    with subprocess.Popen(command(100_000), stdout=subprocess.PIPE, stderr=subprocess.PIPE) as run:
        until = time.monotonic() + 120
        while _noted(folder) < 6 and run.poll() is None and time.monotonic() < until:
            time.sleep(0.05)
        run.kill()
        _, said = run.communicate()
    killed_at = _noted(folder)
    assert killed_at >= 6, said.decode()
    done = subprocess.run(command(killed_at + 5), capture_output=True, text=True, check=True)
    assert done.stdout.split()[-1] == str(killed_at + 5)
    steps = [json.loads(line)["step"] for line in (folder / "progress.jsonl").read_text().splitlines()]
    assert steps == sorted(steps), "what was noted after the checkpoint was struck"
    assert steps[0] == 1, "what was noted before the kill was kept"
    assert (folder / "curves.png").exists()


def _noted(folder: Path) -> int:
    """The last step that is noted; a line may be half written."""
    path = folder / "progress.jsonl"
    lines = path.read_text().split("\n")[:-1] if path.exists() else []
    return max((json.loads(line)["step"] for line in lines), default=0)


class Counting:
    """A learner that learns nothing and writes down what it is asked for."""

    def __init__(self) -> None:
        self.step, self.seconds, self.best = 0, 0.0, 0.9
        self.saved, self.judged = 0, 0

    def rate(self, share: float) -> float:
        return 1 - share

    def learn(self, batch: int, rate: float) -> float:
        assert batch == self.step
        self.step += 1
        return rate

    def spend(self, seconds: float) -> None:
        self.seconds += seconds

    def judge(self) -> float:
        self.judged += 1
        return 0.5

    def save(self) -> None:
        self.saved += 1


def test_it_ends_judged_saved_and_told(tmp_path: Path) -> None:
    learner = Counting()
    trained = drive(learner, itertools.count(), Budget(60, 1, most_steps=7), 4, tmp_path)
    assert (trained.steps, trained.images, trained.best) == (7, 28, 0.9)
    assert (learner.judged, learner.saved) == (1, 1)
    lines = [json.loads(line) for line in (tmp_path / "progress.jsonl").read_text().splitlines()]
    assert [sorted(set(line) - {"step", "seconds"}) for line in lines] == [
        ["judged"],
        ["images_per_second", "loss", "rate"],
    ]
