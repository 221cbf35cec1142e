"""Train, export and measure `meso4_video`: Meso-4 on the faces of clips, judged by a person's best faces together.

Called by `unmask train meso4-video`. A clip's label is that of all its faces, so some faces teach a wrong one: what
counts, when the best moment is sought and when it serves, is the mean of the highest three in ten.
"""

from __future__ import annotations

from functools import partial
from pathlib import Path

import keras
import numpy as np
from numpy.typing import NDArray

from models.evaluate.metrics import auc
from models.pooling import mean_of_best
from models.training import clip_publish, export, listing, loop, meso, mesonet, split, tracks
from models.training.augment import degrade
from models.training.cards import Words
from models.training.clip_publish import PublishedClips
from models.training.loop import Batch, Plan
from models.training.plan import Trained, Wish
from models.training.publish import mean_of_sets
from models.training.tracks import Tracks

NAME = "meso4_video"
CUTTING = tracks.Cutting(frames=24)
MINUTES = 30.0

WORDS = Words(
    name=NAME,
    title="Meso-4 over a clip",
    version="1.0",
    what="""Meso-4 (28,000 weights, one aligned face, 256 px, RGB) trained on the faces of clips, for traces of a **face
swap**; a person's score is the mean of the highest three in ten faces.""",
    source="trained here from random weights; network of Afchar et al. 2018",
    learned="",
    blind=(
        "Pictures: it abstains. Lip-sync and talking heads: it looks for swaps.",
        "Swap methods and cameras unlike its clips: a network this small does not carry over.",
        "False alarms by age, gender and skin colour have not been measured.",
        "It has no calibration until clips calibrate it: its score is shown with weight 0.",
    ),
)


def run(data: Path, out: Path, wish: Wish, most: int | None = None) -> PublishedClips:
    listed = listing.clips(data, most)
    people = tracks.prepare(listed, out / "work", CUTTING)
    pictures = sum(len(people.faces(i)) for i in split.indices(people.items, "train"))
    minutes, steps = wish.budget(MINUTES, pictures, Plan.batch)
    model, trained = train(people, out / "work", Plan(minutes, wish.seed, steps), wish.resume)
    path, serve = out / "weights" / f"{NAME}.onnx", mesonet.WithCam(model)
    sha256 = export.to_onnx(serve, mesonet.SIDE, ("p_fake", "cam"), path)
    parity = export.check_parity(serve, path, np.asarray(people.faces(0)[:8]))
    judged = split.indices(people.items, "judge")
    made = clip_publish.Made(path, sha256, parity, trained, wish.seed)
    return clip_publish.publish(made, WORDS, listed.root, people.items, judged, scores(model, people, judged), out)


def train(people: Tracks, work: Path, plan: Plan, resume: bool) -> tuple[keras.Model, Trained]:
    keras.utils.set_random_seed(plan.seed)
    model = mesonet.build(meso.DROPOUT)
    mesonet.start_high_pass(model)
    judged = split.indices(people.items, "judge")
    fake = np.array([people.items[i].fake for i in judged], np.bool_)
    sampler = split.Sampler(people.items, split.indices(people.items, "train"), {})

    def judge(network: keras.Model) -> float:
        return mean_of_sets([auc(scores(network, people, judged), fake)])

    return model, loop.fit(model, partial(_batch, people, sampler, plan), judge, plan, work, resume)


def scores(model: keras.Model, people: Tracks, among: NDArray[np.int64]) -> NDArray[np.float64]:
    """P(fake) of each clip."""
    return np.array([mean_of_best(_faces(model, people.faces(int(i)))) for i in among], np.float64)


def _faces(model: keras.Model, faces: NDArray[np.uint8]) -> list[float]:
    logits = meso.logits(model, lambda some: np.asarray(faces[some]), np.arange(len(faces)))
    p_fake: list[float] = (1 / (1 + np.exp(-logits))).tolist()
    return p_fake


def _batch(people: Tracks, sampler: split.Sampler, plan: Plan, step: int) -> Batch:
    rng = np.random.default_rng((plan.seed, step))
    chosen = sampler.draw(plan.batch, rng)
    faces = [people.faces(int(i)) for i in chosen]
    some = np.stack([degrade(np.asarray(seen[rng.integers(len(seen))]), rng, meso.strength(step)) for seen in faces])
    labels = np.array([[people.items[i].fake] for i in chosen], np.float32)
    return np.asarray(some, np.float32) / np.float32(255), labels
