"""The PyTorch training loop: time budget, averaged weights, checkpoints that survive a kill, best weights kept."""

from __future__ import annotations

import ctypes
import json
import logging
import signal
import sys
import time
from collections import deque
from collections.abc import Callable, Iterator
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, TypeVar

import cv2
import torch
from rich.progress import Progress, TextColumn, TimeRemainingColumn
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset

from models.training.plan import Trained, cosine

log = logging.getLogger(__name__)

PR_SET_PDEATHSIG = 1

B = TypeVar("B")
Network = TypeVar("Network", bound=nn.Module)


@dataclass(frozen=True)
class Plan:
    minutes: float
    seed: int
    batch: int = 48  # images
    peak_rate: float = 1e-3
    last_rate: float = 1e-6
    decay: float = 0.05
    warm_up: int = 100  # steps
    averaging: float = 0.998  # of the weights, from step to step
    save_seconds: float = 120.0
    judge_seconds: float = 420.0
    log_seconds: float = 15.0
    most_steps: int | None = None
    workers: int = 2  # processes that make batches; 0: this one makes them itself
    device: str = "auto"  # cpu, cuda; auto: cuda where there is one


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
    state = _State(network, plan, folder, resume)
    saved = judged = ticked = logged = time.monotonic()
    first, since = state.step, 0.0
    losses: deque[float] = deque(maxlen=200)
    with Progress(*Progress.get_default_columns()[:2], TimeRemainingColumn(), TextColumn("{task.description}")) as bar:
        task = bar.add_task("", total=60 * plan.minutes)
        for batch in _batches(make, plan, state.step):
            losses.append(state.learn(batch, loss_of, device))
            now = time.monotonic()
            state.seconds += now - ticked
            since += now - ticked
            ticked = now
            over = state.seconds >= 60 * plan.minutes or state.step == plan.most_steps
            if over or now - judged > plan.judge_seconds:
                state.judge(judge)
                judged = time.monotonic()
            if over or now - logged > plan.log_seconds:
                speed = (state.step - first) * plan.batch / max(since, 1e-9)
                state.note(images_per_second=round(speed, 1), loss=round(sum(losses) / len(losses), 4))
                bar.update(task, completed=state.seconds, description=f"{speed:.0f} images/s loss {losses[-1]:.3f}")
                logged = time.monotonic()
            if over or now - saved > plan.save_seconds:
                state.save()
                saved = time.monotonic()
            if over:
                break
    best: Network = state.best_network()
    return best, Trained(state.step, state.step * plan.batch, state.seconds, state.best)


def device_of(wish: str) -> torch.device:
    return torch.device("cuda" if wish == "auto" and torch.cuda.is_available() else "cpu" if wish == "auto" else wish)


def half(device: torch.device) -> torch.autocast:
    """bfloat16 where the machine computes in it: on a CPU with AVX-512 BF16, 63 images/s instead of 34."""
    able = device.type == "cuda" or bool(torch.cpu._is_avx512_bf16_supported())
    return torch.autocast(device.type, torch.bfloat16, enabled=able)


class _State(Generic[Network]):
    """What a killed run needs to go on, in one file that is replaced as a whole."""

    def __init__(self, network: Network, plan: Plan, folder: Path, resume: bool) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._network, self._plan, self._folder = network, plan, folder
        self._averaged = deepcopy(network).eval().requires_grad_(False)
        self._optimizer = torch.optim.AdamW(network.parameters(), plan.peak_rate, weight_decay=plan.decay)
        self._best: dict[str, Any] = {}
        self.step, self.seconds, self.best = 0, 0.0, -1.0
        if resume and (folder / "checkpoint.pt").exists():
            self._restore()

    def learn(self, batch: B, loss_of: Callable[[Network, B, torch.device], Tensor], device: torch.device) -> float:
        plan = self._plan
        rate = cosine(self.step, self.seconds / (60 * plan.minutes), plan.peak_rate, plan.last_rate, plan.warm_up)
        for group in self._optimizer.param_groups:
            group["lr"] = rate
        self._network.train()
        loss = loss_of(self._network, batch, device)
        self._optimizer.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_(self._network.parameters(), 5.0)
        self._optimizer.step()
        self.step += 1
        self._average()
        return float(loss.detach())

    @torch.no_grad()
    def _average(self) -> None:
        share = 1 - min(self._plan.averaging, (self.step + 1) / (self.step + 10))
        for mean, value in zip(self._averaged.state_dict().values(), self._network.state_dict().values(), strict=True):
            if mean.is_floating_point():
                mean.lerp_(value, share)
            else:
                mean.copy_(value)

    def judge(self, judge: Callable[[Network], float]) -> None:
        score = judge(self._averaged)
        self.note(judged=round(score, 4))
        log.info("step %d, %.0f s, judged %.4f", self.step, self.seconds, score)
        if score > self.best or not self._best:
            self.best = score
            self._best = {name: value.clone() for name, value in self._averaged.state_dict().items()}

    def note(self, **numbers: float) -> None:
        with (self._folder / "progress.jsonl").open("a", encoding="utf-8") as file:
            file.write(json.dumps({"step": self.step, "seconds": round(self.seconds, 1), **numbers}) + "\n")

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
    context = "fork" if plan.workers else None
    steps: Any = range(first, 2**31)
    yield from DataLoader(
        Steps(make),
        batch_size=None,
        sampler=steps,
        num_workers=plan.workers,
        prefetch_factor=4 if plan.workers else None,
        multiprocessing_context=context,
        collate_fn=_as_it_is,
        worker_init_fn=_end_with_parent if plan.workers else None,
    )


def _end_with_parent(worker: int) -> None:
    """Batches that nobody fetches any more kept the processes of a killed run waiting for ever."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def _as_it_is(batch: B) -> B:
    return batch
