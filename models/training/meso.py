"""Train, export, calibrate and measure Meso-4 and MesoInception-4. Called by `unmask train meso4|mesoinception4`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from models.evaluate.metrics import auc
from models.training import crops, export, listing, loop, mesonet, publish, split
from models.training.augment import degrade
from models.training.cards import Words
from models.training.loop import Batch, Plan
from models.training.plan import Trained, Wish

# (real, fake) share of the draws. people_train holds no fakes: a larger share would teach its look as "genuine".
SHARES = {
    "dfdc_train": (0.20, 0.25),
    "mesonet_train": (0.09, 0.125),
    "openforensics_train": (0.09, 0.125),
    "people_train": (0.12, 0.0),
}
DROPOUT = 0.15  # the authors' .5 twice starves 16 hidden units when training is short
JUDGED = 1500  # crops looked at each time the best weights are sought
MINUTES = 30.0
# Augmentation grows over so many steps, and never to all of it: that was more than 28,000 weights can take.
HARDER_UNTIL, STRONGEST = 4000, 0.6

MESO4 = Words(
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

MESOINCEPTION4 = Words(
    name="mesoinception4",
    title="MesoInception-4",
    version="1.0",
    what="""Meso-4 with its first two convolutions replaced by inception modules, which look at four distances at once:
the texture of one aligned face (256 px, RGB), for traces of a **face swap**. 29,000 weights; the network of Afchar et
al. 2018, trained here from random weights.""",
    source="trained here from random weights; network of Afchar et al. 2018",
    learned="",
    blind=(
        *MESO4.blind[:1],
        """Swap methods and cameras unlike its sets: a network this small does not carry over (the published one: AUC
  .623 on DFDC, .697 on Celeb-DF). Expect chance on live swaps from the web.""",
        *MESO4.blind[2:],
    ),
)


@dataclass(frozen=True)
class Recipe:
    words: Words
    build: Callable[[float], keras.Model]


RECIPES = {
    "meso4": Recipe(MESO4, mesonet.build),
    "mesoinception4": Recipe(MESOINCEPTION4, mesonet.build_inception),
}


def run(name: str, data: Path, out: Path, wish: Wish, most: int | None = None) -> publish.Published:
    """`data`: any labelled pictures; `out` gets checkpoints and crops under work/, and weights/, cards/ that ship."""
    recipe = RECIPES[name]
    listed = listing.pictures(data, most, SHARES)
    shard = crops.prepare(listed.root, listed.items, out / "work" / "crops")
    minutes, steps = wish.budget(MINUTES, len(split.indices(shard.items, "train")), Plan.batch)
    model, trained = train(recipe, shard, out / "work", Plan(minutes, wish.seed, steps), wish.resume)
    exported = export_to(model, name, shard, out)
    return publish.publish(exported, recipe.words, trained, shard, listed.root, out, wish.seed)


def export_to(model: keras.Model, name: str, shard: crops.Shard, out: Path) -> publish.Exported:
    path = out / "weights" / f"{name}.onnx"
    serve = mesonet.WithCam(model)
    sha256 = export.to_onnx(serve, mesonet.SIDE, ("p_fake", "cam"), path)
    return publish.Exported(path, sha256, export.check_parity(serve, path, np.asarray(shard.crops[:16])))


def train(recipe: Recipe, shard: crops.Shard, work: Path, plan: Plan, resume: bool) -> tuple[keras.Model, Trained]:
    keras.utils.set_random_seed(plan.seed)
    model = recipe.build(DROPOUT)
    mesonet.start_high_pass(model)
    judged = split.indices(shard.items, "judge")
    judged = np.sort(np.random.default_rng(0).permutation(judged)[:JUDGED])
    sampler = split.Sampler(shard.items, split.indices(shard.items, "train"), SHARES)
    make = partial(_batch, shard, sampler, plan)
    return model, loop.fit(model, make, lambda m: mean_auc(m, shard, judged), plan, work, resume)


def _batch(shard: crops.Shard, sampler: split.Sampler, plan: Plan, step: int) -> Batch:
    rng = np.random.default_rng((plan.seed, step))
    chosen = sampler.draw(plan.batch, rng)
    some = np.stack([degrade(np.asarray(shard.crops[i]), rng, strength(step)) for i in chosen])
    labels = np.array([[shard.items[i].fake] for i in chosen], np.float32)
    return np.asarray(some, np.float32) / np.float32(255), labels


def strength(step: int) -> float:
    return STRONGEST * min(1.0, step / HARDER_UNTIL)


def mean_auc(model: keras.Model, shard: crops.Shard, among: NDArray[np.int64]) -> float:
    """Mean over the sets that hold both classes, so that the largest set does not choose alone."""
    scores = predict(model, shard, among)
    fake = np.array([shard.items[i].fake for i in among])
    sets = np.array([shard.items[i].dataset for i in among])
    return publish.mean_of_sets([auc(scores[sets == name], fake[sets == name]) for name in np.unique(sets)])


def predict(model: keras.Model, shard: crops.Shard, among: NDArray[np.int64], batch: int = 64) -> NDArray[np.float64]:
    """Logits of the crops named by `among`."""
    return logits(model, lambda some: shard.crops[some], among, batch)


def logits(
    model: keras.Model,
    crops_of: Callable[[NDArray[np.int64]], NDArray[np.uint8]],
    among: NDArray[np.int64],
    batch: int = 64,
) -> NDArray[np.float64]:
    parts = [
        tf.squeeze(model(crops_of(among[i : i + batch]).astype(np.float32) / 255, training=False), -1).numpy()
        for i in range(0, len(among), batch)
    ]
    return np.concatenate([np.zeros(0), *parts])
