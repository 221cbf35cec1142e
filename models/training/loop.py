"""The training loop: batches from threads, a time budget, checkpoints that survive a kill, the best weights kept."""

from __future__ import annotations

import logging
import time
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from models.training.augment import degrade
from models.training.crops import Shard
from models.training.plan import Trained, cosine
from models.training.split import Sampler
from models.types import Floats

log = logging.getLogger(__name__)

Batch = tuple[Floats, Floats]
AHEAD = 4


@dataclass(frozen=True)
class Plan:
    minutes: float
    seed: int
    batch: int = 32
    peak_rate: float = 1.5e-3
    last_rate: float = 1e-5
    warm_up: int = 100  # steps
    smoothing: float = 0.02
    harder_until: int = 4000  # steps over which augmentation grows to its full strength
    strongest: float = 0.6  # all of it was more than 28,000 weights can take
    save_seconds: float = 60.0
    judge_seconds: float = 150.0
    most_steps: int | None = None


def fit(
    model: keras.Model,
    shard: Shard,
    sampler: Sampler,
    judge: Callable[[keras.Model], float],
    plan: Plan,
    folder: Path,
    resume: bool,
) -> Trained:
    """Train until the budget is spent; the model ends with the weights that `judge` liked best."""
    optimizer = keras.optimizers.AdamW(plan.peak_rate, weight_decay=1e-4, clipnorm=1.0)
    model.compile(optimizer, keras.losses.BinaryCrossentropy(from_logits=True, label_smoothing=plan.smoothing))
    optimizer.build(model.trainable_variables)
    state = _State(model, optimizer, folder, resume)
    best = folder / "best.weights.h5"
    saved = judged = ticked = time.monotonic()
    losses: deque[float] = deque(maxlen=200)
    for x, y in _batches(shard, sampler, plan, state.step):
        spent = state.seconds / (60 * plan.minutes)
        optimizer.learning_rate.assign(cosine(state.step, spent, plan.peak_rate, plan.last_rate, plan.warm_up))
        model.reset_metrics()
        losses.append(float(model.train_on_batch(x, y)))
        now = time.monotonic()
        state.advance(now - ticked)
        ticked = now
        over = state.seconds >= 60 * plan.minutes or state.step == plan.most_steps
        if over or time.monotonic() - judged > plan.judge_seconds:
            score = judge(model)
            loss = sum(losses) / len(losses)
            log.info("step %d, %.0f s, loss %.3f, judged %.4f", state.step, state.seconds, loss, score)
            if score > state.best:
                state.best = score
                model.save_weights(best)
            judged = time.monotonic()
        if over or time.monotonic() - saved > plan.save_seconds:
            state.save()
            saved = time.monotonic()
        if over:
            break
    model.load_weights(best)
    return Trained(state.step, state.step * plan.batch, state.seconds, state.best)


class _State:
    """What a killed run needs to go on: weights, optimizer, and how far it had come."""

    def __init__(self, model: keras.Model, optimizer: keras.Optimizer, folder: Path, resume: bool) -> None:
        self._step, self._seconds, self._best = tf.Variable(0), tf.Variable(0.0), tf.Variable(-1.0)
        checkpoint = tf.train.Checkpoint(
            model=model, optimizer=optimizer, step=self._step, seconds=self._seconds, best=self._best
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

    @best.setter
    def best(self, value: float) -> None:
        self._best.assign(value)

    def advance(self, seconds: float) -> None:
        self._step.assign_add(1)
        self._seconds.assign_add(seconds)

    def save(self) -> None:
        self._manager.save()


def _batches(shard: Shard, sampler: Sampler, plan: Plan, first: int) -> Iterator[Batch]:
    """Each batch depends on seed and step alone, so a resumed run draws what the killed one would have drawn."""
    step = first
    with ThreadPoolExecutor(2) as pool:
        waiting: deque[Future[Batch]] = deque()
        while True:
            while len(waiting) < AHEAD:
                waiting.append(pool.submit(_batch, shard, sampler, plan, step))
                step += 1
            yield waiting.popleft().result()


def _batch(shard: Shard, sampler: Sampler, plan: Plan, step: int) -> Batch:
    rng = np.random.default_rng((plan.seed, step))
    chosen: NDArray[np.int64] = sampler.draw(plan.batch, rng)
    strength = plan.strongest * min(1.0, step / plan.harder_until)
    crops = np.stack([degrade(np.asarray(shard.crops[i]), rng, strength) for i in chosen])
    labels = np.array([[shard.items[i].fake] for i in chosen], np.float32)
    return np.asarray(crops, np.float32) / np.float32(255), labels
