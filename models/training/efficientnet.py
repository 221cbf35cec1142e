"""Train, export, calibrate and measure EfficientNet B0 or B7. Called by `unmask train efficientnet`.

With --start (ImageNet weights as Keras ships them, or an old file of the same network) the base stays frozen and the
head learns; without, everything starts at random and learns, which takes far more pictures and time.
"""

from __future__ import annotations

import logging
import math
from functools import partial
from pathlib import Path
from typing import Any

import cv2
import keras
import numpy as np
from keras import layers
from numpy.typing import NDArray

from models.evaluate.metrics import auc
from models.importers import efficientnet as importer
from models.importers import tensors
from models.networks import efficientnet
from models.training import augment, crops, export, listing, loop, publish, split
from models.training.cards import Words
from models.training.loop import Batch, Plan
from models.training.plan import Trained, Wish
from models.types import Rgb

log = logging.getLogger(__name__)

NAME = "efficientnet"
SIDE = 256
TURN, SHIFT, SHEAR, ZOOM = 20.0, 0.2, 0.2, 0.2  # degrees; shares of the side
WORN = 0.6
DROPOUT = 0.2
JUDGED = 600
MINUTES = 60.0
PEAK_RATE = 1e-3


def words(base: str, start: Path | None) -> Words:
    begun = f"the frozen weights of {start.name[:80]}" if start else "random weights"
    return Words(
        name=NAME,
        title=f"EfficientNet{base.upper()}",
        version="1.0",
        what=f"""One aligned face (256 px, RGB) through EfficientNet{base.upper()} with a dense head (mean, 1024, 1),
for traces of a **face swap**.""",
        source=f"trained here from {begun}; network of Tan & Le 2019",
        learned="\nTurned by up to 20 degrees, moved, sheared and scaled by up to a fifth, and mirrored.",
        blind=(
            "Fakes whole-picture generators made (GAN, diffusion), lip-sync and talking heads: it looks for swaps.",
            "Swap methods and cameras unlike its sets.",
            "False alarms by age, gender and skin colour have not been measured.",
            "Its heatmap (Grad-CAM) shows where the score came from, not where a picture was altered.",
        ),
    )


def run(
    data: Path, out: Path, wish: Wish, base: str = "b0", start: Path | None = None, most: int | None = None
) -> publish.Published:
    listed = listing.pictures(data, most)
    shard = crops.prepare(listed.root, listed.items, out / "work" / "crops")
    minutes, steps = wish.budget(MINUTES, len(split.indices(shard.items, "train")), Plan.batch)
    plan = Plan(minutes, wish.seed, steps, peak_rate=PEAK_RATE)
    if start is None:
        log.warning("no --start FILE: EfficientNet%s learns from random weights", base.upper())
    network, trained = train(shard, out / "work", plan, wish.resume, base, start)
    return publish.publish(
        network.exported(shard, out), words(base, start), trained, shard, listed.root, out, wish.seed
    )


class Network:
    """Base and head, and the model of both that learns."""

    def __init__(self, base: str, start: Path | None) -> None:
        self.body, self.hidden, self.last = efficientnet.build(base, SIDE)
        if start:
            importer.fill_body(self.body, tensors.of_keras(start), start.name)
            self.body.trainable = False
        inputs = keras.Input((SIDE, SIDE, 3))
        seen = layers.GlobalAveragePooling2D()(self.body(inputs))
        self.model = keras.Model(inputs, self.last(layers.Dropout(DROPOUT)(self.hidden(seen))))

    def serving(self) -> efficientnet.WithCam:
        return efficientnet.WithCam(self.body, self.hidden, self.last, scale=1.0, high=True)

    def exported(self, shard: crops.Shard, out: Path) -> publish.Exported:
        path, serve = out / "weights" / f"{NAME}.onnx", self.serving()
        sha256 = export.to_onnx(serve, SIDE, ("p_fake", "cam"), path)
        return publish.Exported(path, sha256, export.check_parity(serve, path, np.asarray(shard.crops[:4])))


def train(
    shard: crops.Shard, work: Path, plan: Plan, resume: bool, base: str, start: Path | None
) -> tuple[Network, Trained]:
    keras.utils.set_random_seed(plan.seed)
    network = Network(base, start)
    judged = split.indices(shard.items, "judge")
    judged = np.sort(np.random.default_rng(0).permutation(judged)[:JUDGED])
    sampler = split.Sampler(shard.items, split.indices(shard.items, "train"), {})
    make = partial(_batch, shard, sampler, plan)
    return network, loop.fit(network.model, make, lambda m: _auc(m, shard, judged), plan, work, resume)


def _auc(model: Any, shard: crops.Shard, among: NDArray[np.int64]) -> float:
    batches = [np.asarray(shard.crops[among[i : i + 32]], np.float32) for i in range(0, len(among), 32)]
    scores = [np.asarray(model(some, training=False), np.float64)[:, 0] for some in batches]
    fake = np.array([shard.items[i].fake for i in among], np.bool_)
    return publish.mean_of_sets([auc(np.concatenate([np.zeros(0), *scores]), fake)])


def _batch(shard: crops.Shard, sampler: split.Sampler, plan: Plan, step: int) -> Batch:
    rng = np.random.default_rng((plan.seed, step))
    chosen = sampler.draw(plan.batch, rng)
    some = np.stack([augment.worn(moved(np.asarray(shard.crops[i]), rng), rng, WORN) for i in chosen])
    return some.astype(np.float32), np.array([[shard.items[i].fake] for i in chosen], np.float32)


def moved(rgb: Rgb, rng: np.random.Generator) -> Rgb:
    side = rgb.shape[0]
    angle, shear = math.radians(rng.uniform(-TURN, TURN)), rng.uniform(-SHEAR, SHEAR)
    wide, high = rng.uniform(1 - ZOOM, 1 + ZOOM, 2)
    turn = np.array([[math.cos(angle), -math.sin(angle)], [math.sin(angle), math.cos(angle)]])
    matrix = turn @ np.array([[1, shear], [0, 1]]) @ np.diag([wide, high])
    if rng.random() < 0.5:
        matrix = matrix @ np.diag([-1.0, 1.0])
    centre = np.full(2, side / 2)
    offset = centre - matrix @ centre + rng.uniform(-SHIFT, SHIFT, 2) * side
    whole = np.concatenate([matrix, offset[:, None]], axis=1)
    return np.asarray(cv2.warpAffine(rgb, whole, (side, side), borderMode=cv2.BORDER_REFLECT_101), np.uint8)
