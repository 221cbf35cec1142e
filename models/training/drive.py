"""The course of a run, whatever framework learns: when to judge, to save, to tell, and when it is over."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Protocol, TypeVar

from models.training.journal import Journal
from models.training.plan import Budget, Trained

log = logging.getLogger(__name__)

B = TypeVar("B", contravariant=True)


class Learner(Protocol[B]):
    """A network with all that a killed run needs to go on. `best`: the highest score of the weights kept so far."""

    @property
    def step(self) -> int: ...
    @property
    def seconds(self) -> float: ...
    @property
    def best(self) -> float: ...

    def rate(self, share: float) -> float:
        """Of learning, at a share of the budget."""
        ...

    def learn(self, batch: B, rate: float) -> float:
        """One step; its loss."""
        ...

    def spend(self, seconds: float) -> None: ...

    def judge(self) -> float:
        """The score of the weights as they are; they are kept when it is the highest yet."""
        ...

    def save(self) -> None:
        """Everything, so that a kill at any moment leaves this or the one before."""
        ...


def drive(learner: Learner[B], batches: Iterable[B], plan: Budget, batch: int, folder: Path) -> Trained:
    """`batches` go on for ever, from the learner's step on; `batch`: images in one."""
    saved = judged = ticked = noted = time.monotonic()
    with Journal(folder, batch, learner.step) as journal:
        for some in batches:
            rate = learner.rate(plan.spent(learner.step, learner.seconds))
            loss = learner.learn(some, rate)
            now = time.monotonic()
            learner.spend(now - ticked)  # judging and saving are part of the budget: a run takes what it was given
            journal.learned(loss, now - ticked)
            ticked = now
            share = plan.spent(learner.step, learner.seconds)
            over = share >= 1
            if over or now - judged > plan.judge_seconds:
                score = learner.judge()
                log.info("step %d, %.0f s, judged %.4f", learner.step, learner.seconds, score)
                journal.judged(learner.step, learner.seconds, score)
                judged = time.monotonic()
            if over or now - noted > plan.log_seconds:
                journal.note(learner.step, learner.seconds, share, rate)
                noted = time.monotonic()
            if over or now - saved > plan.save_seconds:
                learner.save()
                saved = time.monotonic()
            if over:
                break
    return Trained(learner.step, learner.step * batch, learner.seconds, learner.best)
