"""The detectors' networks with random weights, as their frameworks run them and as ONNX; each measured in a process.

python -m tests.bench.networks export|onnx|batch|single NAME FOLDER     prints one line of JSON
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

SIDES = {"meso4": 256, "mesoinception4": 256, "efficientnet-b0": 224, "efficientnet-b7": 300, "blend": 256}
SIDES |= {"sequence": 112}
KERAS = ("meso4", "mesoinception4", "efficientnet-b0", "efficientnet-b7")
BATCH = 32
THREADS = 2
LEAST_SECONDS = 5.0

Crops = NDArray[np.uint8]


def export(name: str, folder: Path) -> None:
    path = folder / f"{name}.onnx"
    if name in KERAS:
        from models.training import export as keras_export

        keras_export.to_onnx(_with_cam(name), SIDES[name], ("p_fake", "cam"), path)
        return
    import torch

    from models.training import torch_export

    outputs = ("p_fake", "mask") if name == "blend" else ("p_fake", "per_face")
    torch_export.to_onnx(_torch(name), torch.from_numpy(_crops(name, 2)), outputs, path)


def onnx(name: str, folder: Path) -> Callable[[Crops], Any]:
    """As a detector runs it: through the micro-batcher, in the service's own session."""
    from models import runtime
    from models.batcher import Arrays, Batcher

    path = folder / f"{name}.onnx"
    session = runtime.session_of(name, path.read_bytes, THREADS)

    def run(crops: Crops) -> Arrays:
        return (np.asarray(session.run(["p_fake"], {"crops": crops})[0], np.float32),)

    if name == "sequence":  # its frames belong together
        return run
    batcher = Batcher(run)
    return lambda crops: batcher(list(crops))


def batch(name: str, folder: Path) -> Callable[[Crops], Any]:
    """What its training framework offers for many pictures at once."""
    if name in KERAS:
        network, scale = _keras(name)
        return lambda crops: network.predict(crops * scale, batch_size=BATCH, verbose=0)
    import torch

    torch.set_num_threads(THREADS)
    serving = _torch(name)

    @torch.inference_mode()
    def run(crops: Crops) -> Any:
        return serving(torch.from_numpy(crops))

    return run


def single(name: str, folder: Path) -> Callable[[Crops], Any]:
    run = batch(name, folder)
    return lambda crops: [run(crop[None]) for crop in crops]


def _crops(name: str, count: int) -> Crops:
    return np.random.default_rng(0).integers(0, 256, (count, SIDES[name], SIDES[name], 3), dtype=np.uint8)


def _with_cam(name: str) -> Callable[[Any], tuple[Any, ...]]:
    if name.startswith("meso"):
        from models.training import mesonet

        return mesonet.WithCam(mesonet.build() if name == "meso4" else mesonet.build_inception())
    from models.networks import efficientnet

    return efficientnet.WithCam(*efficientnet.build(name[-2:], SIDES[name]), 1.0, high=True)


def _keras(name: str) -> tuple[Any, np.float32]:
    """The plain network, and what its pictures are multiplied by."""
    import keras

    if name.startswith("meso"):
        from models.training import mesonet

        return (mesonet.build() if name == "meso4" else mesonet.build_inception()), np.float32(1 / 255)
    from models.networks import efficientnet

    body, hidden, last = efficientnet.build(name[-2:], SIDES[name])
    pooled = keras.layers.GlobalAveragePooling2D()(body.output)
    return keras.Model(body.input, last(hidden(pooled))), np.float32(1)


def _torch(name: str) -> Any:
    import torch

    if name == "blend":
        from models.networks import lite0

        return lite0.Serving(lite0.BlendNet(), SIDES[name], 160).eval()
    from models.networks import resnext

    network = resnext.Sequence().eval()
    return torch.nn.Sequential(resnext.Extractor(network), resnext.Head(network)).eval()


def measure(run: Callable[[Crops], Any], crops: Crops) -> dict[str, float]:
    run(crops[:BATCH])
    seen, began = 0, time.perf_counter()
    while (took := time.perf_counter() - began) < LEAST_SECONDS:
        run(crops)
        seen += len(crops)
    return {
        "images_per_second": seen / took,
        "peak_mib": _peak_mib(),
    }


def _peak_mib() -> float:
    """Of this program alone: getrusage would tell that of the process it was forked from, too."""
    lines = Path("/proc/self/status").read_text("ascii").splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith("VmHWM"))


def main(mode: str, name: str, folder: str) -> None:
    if mode == "export":
        export(name, Path(folder))
        return
    run = {"onnx": onnx, "batch": batch, "single": single}[mode](name, Path(folder))
    crops = _crops(name, 2 * BATCH if mode != "single" else 4)
    print(json.dumps(measure(run, crops)))


if __name__ == "__main__":
    main(*sys.argv[1:])
