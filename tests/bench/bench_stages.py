"""A 30-second 720p clip by stage, against bare PyAV and ONNX Runtime, and against the way of a ResNeXt50 + LSTM app."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import av
import numpy as np

from models import align, manifest, runtime
from models.analyze import DEFAULT_FRAMES, Analyzer
from models.batcher import MOST_CROPS
from models.decode import DecodeLimits, decode, probe
from models.faces import find
from models.types import Frame, Rgb
from tests.bench.table import show
from tests.clips import make_clip

THREADS = 2
LIMITS = DecodeLimits(max_pixels=40_000_000, max_seconds=3600)
RUNS = 3

# The whole clip by OpenCV, face_recognition's finder on each of the frames asked for, the network in PyTorch.
SEQUENCE_APP = """
import sys, cv2, face_recognition, torch
from models.networks import resnext
network = resnext.Sequence().eval()
network = torch.nn.Sequential(resnext.Extractor(network), resnext.Head(network)).eval()
video, crops = cv2.VideoCapture(sys.argv[1]), []
while len(crops) < int(sys.argv[2]):
    ok, bgr = video.read()
    if not ok:
        break
    for top, right, bottom, left in face_recognition.face_locations(bgr[..., ::-1].copy())[:1]:
        crops.append(torch.from_numpy(cv2.resize(bgr[top:bottom, left:right], (112, 112))[..., ::-1].copy()))
with torch.inference_mode():
    network(torch.stack(crops))
print(len(crops))
"""


def main(folder: Path) -> None:
    clip = make_clip(folder / "clip.mp4", seconds=30, width=1280, height=720)
    analyzer = Analyzer(onnx_threads=THREADS)
    analyzer.warm()
    took, stages = min((_ours(analyzer, clip) for _ in range(RUNS)), key=lambda pair: pair[0])
    analyzer.close()
    crops = [face.crop for frame in _frames(clip) for face in find(frame, 1, THREADS)]
    bare = min(_bare(clip, crops) for _ in range(RUNS))
    app = _sequence_app(clip)
    show(
        [
            (f"whole line in one warm process, seconds (best of {RUNS})", f"{took:.2f}", ", ".join(analyzer.detectors)),
            *((f"  {stage}", f"{seconds:.2f}", "") for stage, seconds in stages.items()),
            (f"bare PyAV decode and ONNX Runtime on the same {len(crops)} crops", f"{bare:.2f}", ""),
            ("times the bare work", f"{took / bare:.2f}", "goal <= 2"),
            (f"a ResNeXt50 + LSTM app on {DEFAULT_FRAMES} frames, whole process", f"{app:.2f}", ""),
            ("times as fast as that, warm", f"{app / took:.1f}", "goal >= 5"),
        ]
    )


def _frames(clip: Path) -> Iterator[Frame]:
    return decode(clip, LIMITS, DEFAULT_FRAMES)


def _ours(analyzer: Analyzer, clip: Path) -> tuple[float, dict[str, float]]:
    began = time.perf_counter()
    info = probe(clip, LIMITS)
    analysis = analyzer.analyze(decode(clip, LIMITS, DEFAULT_FRAMES), info)
    return time.perf_counter() - began, analysis.timings


def _bare(clip: Path, crops: Sequence[Rgb]) -> float:
    """Every frame decoded, as many turned to RGB as are judged; each network on the crops in the service's batches."""
    entries = [entry for entry in manifest.read().values() if entry.file and entry.installed]
    for entry in entries:
        runtime.session_of_file(entry.path, entry.sha256, THREADS)
    began = time.perf_counter()
    with av.open(str(clip)) as source:
        source.streams.video[0].thread_type = "AUTO"
        every = max(1, source.streams.video[0].frames // DEFAULT_FRAMES)
        for number, frame in enumerate(source.decode(video=0)):
            if number % every == 0:
                frame.to_ndarray(format="rgb24")
    for entry in entries:
        session = runtime.session_of_file(entry.path, entry.sha256, THREADS)
        for start in range(0, len(crops), MOST_CROPS):
            some = [align.narrowed(c, entry.margin, entry.input_size) for c in crops[start : start + MOST_CROPS]]
            session.run(None, {"crops": np.stack(some)})
    return time.perf_counter() - began


def _sequence_app(clip: Path) -> float:
    began = time.perf_counter()
    subprocess.run(
        [sys.executable, "-c", SEQUENCE_APP, str(clip), str(DEFAULT_FRAMES)], check=True, capture_output=True,
        env={**os.environ, "OMP_NUM_THREADS": str(THREADS)},
    )  # fmt: skip
    return time.perf_counter() - began
