"""A 30-second 720p clip: `unmask check` as a whole process, against a loop that predicts every frame with Keras."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path

from tests.bench.table import show
from tests.clips import make_clip
from tests.served import UNMASK

# What a first version of such a service does: open the clip with OpenCV, call predict() on every whole frame.
PLAIN_LOOP = """
import sys, cv2, numpy
from models.training.mesonet import build
net = build()
video, frames = cv2.VideoCapture(sys.argv[1]), 0
while True:
    ok, bgr = video.read()
    if not ok:
        break
    rgb = cv2.resize(bgr, (256, 256))[..., ::-1]
    net.predict(rgb[None].astype("float32") / 255, verbose=0)
    frames += 1
print(frames)
"""


def main(folder: Path) -> None:
    clip = make_clip(folder / "clip.mp4", seconds=30, width=1280, height=720)
    ours = min(_unmask(clip, "--detectors", "meso4") for _ in range(3))
    every = min(_unmask(clip) for _ in range(3))
    started = time.monotonic()
    done = subprocess.run(
        [sys.executable, "-c", PLAIN_LOOP, str(clip)], check=True, capture_output=True, text=True,
        env={**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"},
    )  # fmt: skip
    plain = time.monotonic() - started
    show(
        [
            ("unmask check with meso4, whole process, seconds (best of 3)", f"{ours:.2f}", ""),
            ("the same with every installed detector", f"{every:.2f}", ""),
            (f"plain loop over {done.stdout.strip()} frames, seconds", f"{plain:.2f}", ""),
            ("times as fast, the same network", f"{plain / ours:.1f}", "goal >= 20"),
            ("times as fast, every installed detector", f"{plain / every:.1f}", ""),
        ]
    )


def _unmask(clip: Path, *options: str) -> float:
    started = time.monotonic()
    done = subprocess.run(
        [UNMASK, "check", "--json", *options, str(clip)], check=True, capture_output=True, text=True,
        env={**os.environ, "UNMASK_ONNX_THREADS": "2"},
    )  # fmt: skip
    took = time.monotonic() - started
    assert json.loads(done.stdout)["coverage"]["frames"] == 60, done.stdout
    return took
