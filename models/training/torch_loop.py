"""PyTorch's side of a run: averaged weights, checkpoints that survive a kill, batches from worker processes."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, TypeVar

import cv2
import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset

from models.training.drive import drive
from models.training.plan import Budget, Trained, cores, cosine
from models.training.workers import end_with_parent

log = logging.getLogger(__name__)

FEWEST_WORKERS = 2

B = TypeVar("B")
Network = TypeVar("Network", bound=nn.Module)


@dataclass(frozen=True)
class Plan(Budget):
    batch: int = 48  # images
    peak_rate: float = 1e-3
    last_rate: float = 1e-6
    decay: float = 0.05
    warm_up: int = 100  # steps
    averaging: float = 0.998  # of the weights, from step to step
    workers: int | None = None  # processes that make batches; 0: this one makes them itself; None: as many as help
    device: str = "auto"  # cpu, cuda; auto: cuda where there is one

    def makers(self) -> int:
        """A CPU that learns needs its cores itself; a GPU waits for batches unless every core makes them."""
        if self.workers is not None:
            return self.workers
        return max(FEWEST_WORKERS, cores()) if device_of(self.device).type == "cuda" else FEWEST_WORKERS


class Steps(Dataset[B], Generic[B]):
    """Batch by step: it depends on the step alone, so a resumed run draws what the killed one would have drawn."""

    def __init__(self, make: Callable[[int], B]) -> None:
        self._make = make

    def __getitem__(self, step: int) -> B:
        cv2.setNumThreads(1)
        return self._make(step)


def fit(
    network: Network,
    make: Callable[[int], B],
    loss_of: Callable[[Network, B, torch.device], Tensor],
    judge: Callable[[Network], float],
    plan: Plan,
    folder: Path,
    resume: bool,
) -> tuple[Network, Trained]:
    """Train until the budget is spent. Returns the averaged weights that `judge` liked best, on the CPU."""
    device = device_of(plan.device)
    network = network.to(device)
    network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    learner = _Learner(network, loss_of, judge, plan, folder, resume)
    trained = drive(learner, _batches(make, plan, learner.step), plan, plan.batch, folder)
    best: Network = learner.best_network()
    return best, trained


def device_of(wish: str) -> torch.device:
    return torch.device("cuda" if wish == "auto" and torch.cuda.is_available() else "cpu" if wish == "auto" else wish)


def half(device: torch.device) -> torch.autocast:
    """bfloat16 where the machine computes in it: on a CPU with AVX-512 BF16, 63 images/s instead of 34."""
    able = device.type == "cuda" or bool(torch.cpu._is_avx512_bf16_supported())
    return torch.autocast(device.type, torch.bfloat16, enabled=able)


class _Learner(Generic[Network, B]):
    """What a killed run needs to go on, in one file that is replaced as a whole."""

    def __init__(
        self,
        network: Network,
        loss_of: Callable[[Network, B, torch.device], Tensor],
        judge: Callable[[Network], float],
        plan: Plan,
        folder: Path,
        resume: bool,
    ) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._network, self._loss_of, self._judge, self._plan, self._folder = network, loss_of, judge, plan, folder
        self._device = next(network.parameters()).device
        self._averaged = deepcopy(network).eval().requires_grad_(False)
        learning = [parameter for parameter in network.parameters() if parameter.requires_grad]
        self._optimizer = torch.optim.AdamW(learning, plan.peak_rate, weight_decay=plan.decay)
        self._best: dict[str, Any] = {}
        self.step, self.seconds, self.best = 0, 0.0, -1.0
        if resume and (folder / "checkpoint.pt").exists():
            self._restore()

    def rate(self, share: float) -> float:
        return cosine(self.step, share, self._plan.peak_rate, self._plan.last_rate, self._plan.warm_up)

    def learn(self, batch: B, rate: float) -> float:
        for group in self._optimizer.param_groups:
            group["lr"] = rate
        self._network.train()
        loss = self._loss_of(self._network, batch, self._device)
        self._optimizer.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_(self._network.parameters(), 5.0)
        self._optimizer.step()
        self.step += 1
        self._average()
        return float(loss.detach())

    def spend(self, seconds: float) -> None:
        self.seconds += seconds

    @torch.no_grad()
    def _average(self) -> None:
        share = 1 - min(self._plan.averaging, (self.step + 1) / (self.step + 10))
        for mean, value in zip(self._averaged.state_dict().values(), self._network.state_dict().values(), strict=True):
            if mean.is_floating_point():
                mean.lerp_(value, share)
            else:
                mean.copy_(value)

    def judge(self) -> float:
        score = self._judge(self._averaged)
        if score > self.best or not self._best:
            self.best = score
            self._best = {name: value.clone() for name, value in self._averaged.state_dict().items()}
        return score

    def save(self) -> None:
        content = {
            "network": self._network.state_dict(),
            "averaged": self._averaged.state_dict(),
            "best_network": self._best,
            "optimizer": self._optimizer.state_dict(),
            "step": self.step,
            "seconds": self.seconds,
            "best": self.best,
        }
        unfinished = self._folder / "checkpoint.partial"
        torch.save(content, unfinished)
        unfinished.replace(self._folder / "checkpoint.pt")

    def best_network(self) -> Network:
        self._averaged.load_state_dict(self._best)
        return self._averaged.cpu().eval()

    def _restore(self) -> None:
        content = torch.load(self._folder / "checkpoint.pt", weights_only=True, map_location="cpu")
        self._network.load_state_dict(content["network"])
        self._averaged.load_state_dict(content["averaged"])
        self._optimizer.load_state_dict(content["optimizer"])
        self._best = content["best_network"]
        self.step, self.seconds, self.best = content["step"], content["seconds"], content["best"]
        log.info("going on at step %d", self.step)


def _batches(make: Callable[[int], B], plan: Plan, first: int) -> Iterator[B]:
    # fork: the crops are mapped from a file, and a spawned process would get a copy of all of them
    workers = plan.makers()
    context = "fork" if workers else None
    steps: Any = range(first, 2**31)
    yield from DataLoader(
        Steps(make),
        batch_size=None,
        sampler=steps,
        num_workers=workers,
        prefetch_factor=4 if workers else None,
        multiprocessing_context=context,
        collate_fn=_as_it_is,
        worker_init_fn=end_with_parent if workers else None,
    )


def _as_it_is(batch: B) -> B:
    return batch
