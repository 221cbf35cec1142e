"""Keras' side of a run: batches from threads, checkpoints that survive a kill, the best weights kept."""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import keras
import tensorflow as tf

from models.training.drive import drive
from models.training.plan import Budget, Trained, cores, cosine
from models.types import Floats

log = logging.getLogger(__name__)

Batch = tuple[Floats, Floats]  # pictures as the network takes them, and 1 for each fake
AHEAD = 4


@dataclass(frozen=True)
class Plan(Budget):
    batch: int = 32
    peak_rate: float = 1.5e-3
    last_rate: float = 1e-5
    warm_up: int = 100  # steps
    decay: float = 1e-4
    smoothing: float = 0.02
    save_seconds: float = 60.0
    judge_seconds: float = 150.0


def fit(
    model: keras.Model,
    make: Callable[[int], Batch],
    judge: Callable[[keras.Model], float],
    plan: Plan,
    folder: Path,
    resume: bool,
) -> Trained:
    """Train until the budget is spent; the model ends with the weights that `judge` liked best.

    `make` gives a step's batch and depends on the step alone, so a resumed run draws what the killed one would have.
    """
    learner = _Learner(model, judge, plan, folder, resume)
    trained = drive(learner, _batches(make, learner.step), plan, plan.batch, folder)
    model.load_weights(learner.kept)
    return trained


class _Learner:
    """What a killed run needs to go on: weights, optimizer, and how far it had come."""

    def __init__(
        self, model: keras.Model, judge: Callable[[keras.Model], float], plan: Plan, folder: Path, resume: bool
    ) -> None:
        self._model, self._judge, self._plan = model, judge, plan
        self.kept = folder / "best.weights.h5"
        self._optimizer = keras.optimizers.AdamW(plan.peak_rate, weight_decay=plan.decay, clipnorm=1.0)
        model.compile(
            self._optimizer, keras.losses.BinaryCrossentropy(from_logits=True, label_smoothing=plan.smoothing)
        )
        self._optimizer.build(model.trainable_variables)
        self._step, self._seconds, self._best = tf.Variable(0), tf.Variable(0.0), tf.Variable(-1.0)
        checkpoint = tf.train.Checkpoint(
            model=model, optimizer=self._optimizer, step=self._step, seconds=self._seconds, best=self._best
        )
        self._manager = tf.train.CheckpointManager(checkpoint, str(folder / "checkpoints"), max_to_keep=2)
        if resume and self._manager.latest_checkpoint:
            checkpoint.restore(self._manager.latest_checkpoint).assert_existing_objects_matched()
            log.info("going on at step %d", self.step)

    @property
    def step(self) -> int:
        return int(self._step.numpy())

    @property
    def seconds(self) -> float:
        return float(self._seconds.numpy())

    @property
    def best(self) -> float:
        return float(self._best.numpy())

    def rate(self, share: float) -> float:
        return cosine(self.step, share, self._plan.peak_rate, self._plan.last_rate, self._plan.warm_up)

    def learn(self, batch: Batch, rate: float) -> float:
        self._optimizer.learning_rate.assign(rate)
        self._model.reset_metrics()
        loss = float(self._model.train_on_batch(*batch))
        self._step.assign_add(1)
        return loss

    def spend(self, seconds: float) -> None:
        self._seconds.assign_add(seconds)

    def judge(self) -> float:
        score = self._judge(self._model)
        if score > self.best or not self.kept.exists():
            self._best.assign(score)
            self._model.save_weights(self.kept)
        return score

    def save(self) -> None:
        self._manager.save()


def _batches(make: Callable[[int], Batch], first: int) -> Iterator[Batch]:
    step = first
    with ThreadPoolExecutor(max(2, cores() // 2)) as pool:
        waiting: deque[Future[Batch]] = deque()
        while True:
            while len(waiting) < max(AHEAD, cores()):
                waiting.append(pool.submit(make, step))
                step += 1
            yield waiting.popleft().result()
