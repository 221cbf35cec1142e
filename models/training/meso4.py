"""Train, export, calibrate and measure Meso-4. Called by `unmask train meso4`."""

from __future__ import annotations

import logging
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from models.evaluate.metrics import auc
from models.training import crops, export, mesonet, publish, split
from models.training.cards import Words
from models.training.loop import Plan, fit
from models.training.plan import Trained

log = logging.getLogger(__name__)

# (real, fake) share of the draws. people_train holds no fakes: a larger share would teach its look as "genuine".
SHARES = {
    "dfdc_train": (0.20, 0.25),
    "mesonet_train": (0.09, 0.125),
    "openforensics_train": (0.09, 0.125),
    "people_train": (0.12, 0.0),
}
DROPOUT = 0.15  # the authors' .5 twice starves 16 hidden units when training is short
JUDGED = 1500  # crops looked at each time the best weights are sought

WORDS = Words(
    name="meso4",
    title="Meso-4",
    version="1.0",
    what="""Looks at the texture of one aligned face (256 px, RGB) for traces of a **face swap**. 28,000 weights; the
network of Afchar et al. 2018 (MesoNet), trained here from random weights. **Provisional weights**: a small network
on small sets, there to carry the whole line, not to be relied on alone.""",
    source="trained here from random weights; network of Afchar et al. 2018",
    learned="",
    blind=(
        "Fakes whole-picture generators made (GAN, diffusion), lip-sync and talking heads: it looks for swaps.",
        """Swap methods and cameras unlike its sets: a network this small does not carry over (published Meso-4: AUC
  .556 on DFDC, .609 on Celeb-DF). Expect chance on live swaps from the web.""",
        "Small and blurred faces are turned down before they reach it; strong compression is not noticed.",
        "False alarms by age, gender and skin colour have not been measured.",
        "Its heatmap (Grad-CAM, 32 x 32) shows where the score came from, not where a picture was altered.",
    ),
)


def run(data: Path, out: Path, minutes: float, seed: int, resume: bool) -> None:
    """`data`: an index.csv, or the folder that holds one.

    `out` gets checkpoints and crops under work/, and weights/, cards/ with what ships.
    """
    shard = load(data, out / "work")
    model, trained = train(shard, out / "work", Plan(minutes, seed), resume)
    publish.publish(exported(model, shard, out), WORDS, trained, shard, data, out, seed)


def exported(model: keras.Model, shard: crops.Shard, out: Path) -> publish.Exported:
    path = out / "weights" / "meso4.onnx"
    serve = mesonet.WithCam(model)
    sha256 = export.to_onnx(serve, mesonet.SIDE, ("p_fake", "cam"), path)
    return publish.Exported(path, sha256, export.check_parity(serve, path, np.asarray(shard.crops[:16])))


def load(data: Path, work: Path) -> crops.Shard:
    """The sets this recipe knows; of an index without any of them, all there is."""
    listed = crops.read_index(data)
    items = [item for item in listed if item.dataset in SHARES] or listed
    if {item.fake for item in items} != {True, False}:
        raise ValueError(f"{data} must list pictures of both labels, real and fake.")
    return crops.prepare(data, items, work / "crops")


def train(shard: crops.Shard, work: Path, plan: Plan, resume: bool) -> tuple[keras.Model, Trained]:
    keras.utils.set_random_seed(plan.seed)
    model = mesonet.build(DROPOUT)
    mesonet.start_high_pass(model)
    judged = split.indices(shard.items, "judge")
    judged = np.sort(np.random.default_rng(0).permutation(judged)[:JUDGED])
    sampler = split.Sampler(shard.items, split.indices(shard.items, "train"), SHARES)
    trained = fit(model, shard, sampler, lambda m: mean_auc(m, shard, judged), plan, work, resume)
    return model, trained


def mean_auc(model: keras.Model, shard: crops.Shard, among: NDArray[np.int64]) -> float:
    """Mean over the sets that hold both classes, so that the largest set does not choose alone."""
    scores = predict(model, shard, among)
    fake = np.array([shard.items[i].fake for i in among])
    sets = np.array([shard.items[i].dataset for i in among])
    values = [auc(scores[sets == name], fake[sets == name]) for name in np.unique(sets)]
    return float(np.nanmean(values))


def predict(model: keras.Model, shard: crops.Shard, among: NDArray[np.int64], batch: int = 64) -> NDArray[np.float64]:
    """Logits of the crops named by `among`."""
    parts = [
        tf.squeeze(model(shard.crops[among[i : i + batch]].astype(np.float32) / 255, training=False), -1).numpy()
        for i in range(0, len(among), batch)
    ]
    return np.concatenate(parts).astype(np.float64)
