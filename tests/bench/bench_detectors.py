"""Each detector's images a second and memory, against the same network run by the framework it was trained with."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

from tests.bench.networks import KERAS, SIDES

GOALS = "goals: 2.5 times a batch, 20 times Keras' predict() one by one"


def main(folder: Path) -> None:
    print("images/s (peak MiB), two threads, random weights, a process each; " + GOALS)
    print(f"{'network':<16} {'px':>4} {'ONNX':>13} {'framework':>13} {'one by one':>13} {'x batch':>8} {'x single':>8}")
    for name, side in SIDES.items():
        _measured("export", name, folder)
        ours, batch, single = (_measured(mode, name, folder) for mode in ("onnx", "batch", "single"))
        faster = [ours["images_per_second"] / other["images_per_second"] for other in (batch, single)]
        framework = "Keras" if name in KERAS else "PyTorch"
        cells = "".join(f" {_cell(one):>13}" for one in (ours, batch, single))
        print(f"{name:<16} {side:>4}{cells} {faster[0]:>8.1f} {faster[1]:>8.1f}  {framework}", flush=True)


def _cell(one: dict[str, float]) -> str:
    return f"{one['images_per_second']:.1f} ({one['peak_mib']:.0f})"


def _measured(mode: str, name: str, folder: Path) -> dict[str, float]:
    done = subprocess.run(
        [sys.executable, "-m", "tests.bench.networks", mode, name, str(folder)],
        check=True, capture_output=True, text=True, env={**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"},
    )  # fmt: skip
    measured: dict[str, float] = json.loads(done.stdout.splitlines()[-1]) if mode != "export" else {}
    return measured
