"""Train ResNeXt50 + LSTM on clips: `unmask train sequence`. Writes a state dict as the published ones are.

The recurrence runs over a person's faces in order of time, spread over the whole clip, as they are served; so its file
is imported with `--over-time`. The name tells what was measured: model_{accuracy}_acc_{frames}_frames_FF_data.pt.
"""

from __future__ import annotations

import datetime
import logging
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

from models.errors import WeightsError
from models.evaluate.metrics import auc
from models.importers import install, tensors
from models.networks import resnext
from models.training import augment, cards, clip_publish, learned, listing, split, tracks
from models.training.clip_publish import Made, PublishedClips
from models.training.plan import Trained, Wish
from models.training.publish import mean_of_sets
from models.training.torch_loop import Plan, fit, half
from models.training.tracks import Tracks
from models.types import Rgb

log = logging.getLogger(__name__)

NAME = "sequence"
LENGTHS = (10, 20, 40, 60, 80, 100)
CLIPS = 4  # in a batch
MINUTES = 120.0
SMOOTHING = 0.05
WORN = 0.6
MARGIN = 1.0  # the boxes of face_recognition's finder, as published files want them

WORDS = cards.Words(
    name=NAME, title="ResNeXt50 + LSTM", version="1.0", what="", source="trained here", learned="", blind=()
)


@dataclass(frozen=True)
class Batch:
    faces: NDArray[np.uint8]  # (clips, frames, 112, 112, 3), RGB
    fake: NDArray[np.int64]


def run(
    data: Path, out: Path, wish: Wish, frames: int = 20, start: Path | None = None, most: int | None = None
) -> PublishedClips:
    """`start`: a published file, or ImageNet's ResNeXt50_32x4d under the same names; else it learns from nothing."""
    listed = listing.clips(data, most)
    people = tracks.prepare(listed, out / "work", tracks.Cutting(frames, resnext.SIDE, MARGIN))
    minutes, steps = wish.budget(MINUTES, len(split.indices(people.items, "train")), CLIPS)
    plan = Plan(minutes, wish.seed, steps, batch=CLIPS, peak_rate=3e-4)
    network, trained = train(people, out / "work", plan, wish.resume, frames, started(start))
    judged = split.indices(people.items, "judge")
    result = clip_publish.measured(NAME, out, people.items, judged, scores(network, people, judged, frames))
    path = out / f"model_{round(100 * result.accuracy)}_acc_{frames}_frames_FF_data.pt"
    torch.save(network.state_dict(), path)
    learned.write(path, listed.root, people.items)
    made = Made(path, install.sha256_of(path), 0.0, trained, wish.seed)
    clip_publish.write_metrics(made, result, out)
    today = datetime.datetime.now(datetime.UTC).date().isoformat()
    title = f"{frames} frames"
    cards.log_run(out, replace(WORDS, version=title), today, wish.seed, trained, result.auc, made.sha256)
    return result


def started(start: Path | None, hidden: int = resnext.FEATURES) -> resnext.Sequence:
    network = resnext.Sequence(hidden)
    if start is None:
        log.warning("no --start FILE: 56 million weights learn from random ones, which takes many thousand clips")
        return network
    found = tensors.of_torch(start)
    own = network.state_dict()
    fitting = {name: value for name, value in found.items() if name in own and own[name].shape == value.shape}
    if not any(name.startswith("model.") for name in fitting):
        raise WeightsError(f"{start.name} holds no ResNeXt50 under the published names (model.0.weight, ...).")
    network.load_state_dict(fitting, strict=False)
    log.info("%d of %d tensors start as in %s", len(fitting), len(own), start.name)
    return network


def train(
    people: Tracks, work: Path, plan: Plan, resume: bool, frames: int, network: resnext.Sequence
) -> tuple[resnext.Sequence, Trained]:
    torch.manual_seed(plan.seed)
    judged = split.indices(people.items, "judge")
    fake = np.array([people.items[i].fake for i in judged], np.bool_)
    sampler = split.Sampler(people.items, split.indices(people.items, "train"), {})

    def judge(averaged: resnext.Sequence) -> float:
        return mean_of_sets([auc(scores(averaged, people, judged, frames), fake)])

    return fit(network, partial(_batch, people, sampler, plan, frames), loss, judge, plan, work, resume)


def loss(network: resnext.Sequence, batch: Batch, device: torch.device) -> Tensor:
    wrong = torch.from_numpy(np.where(batch.fake, resnext.FAKE, 1 - resnext.FAKE)).to(device)
    with half(device):
        logits = said(network, torch.from_numpy(batch.faces).to(device, non_blocking=True))
    return F.cross_entropy(logits.float(), wrong, label_smoothing=SMOOTHING)


def said(network: resnext.Sequence, faces: Tensor) -> Tensor:
    """uint8 RGB (clips, frames, 112, 112, 3) -> logits of both classes, from the mean over the frames."""
    features: Tensor = resnext.Extractor(network).to(faces.device)(faces.flatten(0, 1))
    hidden, _ = network.lstm(features.view(*faces.shape[:2], -1).transpose(0, 1))
    logits: Tensor = network.linear1(hidden.mean(dim=0))
    return logits


@torch.no_grad()
def scores(network: resnext.Sequence, people: Tracks, among: NDArray[np.int64], frames: int) -> NDArray[np.float64]:
    """P(fake) of each clip."""
    device = next(network.parameters()).device
    network.eval()
    seen = (torch.from_numpy(spread(people.faces(int(i)), frames)[None]).to(device) for i in among)
    p_fake = [float(said(network, faces).float().softmax(dim=1)[0, resnext.FAKE]) for faces in seen]
    return np.array(p_fake, np.float64)


def spread(faces: NDArray[np.uint8], frames: int) -> NDArray[np.uint8]:
    """That many faces, evenly over the clip; of a shorter one some come twice."""
    return np.asarray(faces[np.linspace(0, len(faces) - 1, frames).round().astype(int)], np.uint8)


def _batch(people: Tracks, sampler: split.Sampler, plan: Plan, frames: int, step: int) -> Batch:
    rng = np.random.default_rng((plan.seed, step))
    chosen = sampler.draw(plan.batch, rng)
    clips = [_worn(spread(people.faces(int(i)), frames), rng) for i in chosen]
    return Batch(np.stack(clips), np.array([people.items[i].fake for i in chosen], np.int64))


def _worn(faces: NDArray[np.uint8], rng: np.random.Generator) -> NDArray[np.uint8]:
    """Every face of a clip alike, as a camera and its codec treat them."""
    seed, mirrored = int(rng.integers(2**63)), rng.random() < 0.5
    worn: list[Rgb] = [augment.worn(np.ascontiguousarray(face), np.random.default_rng(seed), WORN) for face in faces]
    return np.stack([np.asarray(cv2.flip(face, 1), np.uint8) if mirrored else face for face in worn])
