from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from numpy.typing import NDArray

from models import batcher as batcher_module
from models.batcher import MOST_CROPS, Arrays, Batcher
from models.types import Rgb


def crops(*values: int) -> list[Rgb]:
    return [np.full((4, 4, 3), value, np.uint8) for value in values]


def means(batch: NDArray[np.uint8]) -> Arrays:
    return (batch.mean(axis=(1, 2, 3)).astype(np.float32),)


def test_everybody_gets_their_own_answers() -> None:
    batcher = Batcher(means)
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda i: batcher(crops(i, i + 1, i + 2))[0].tolist(), range(100)))
    batcher.close()
    assert answers == [[i, i + 1, i + 2] for i in range(100)]


def test_jobs_that_wait_share_runs_of_bounded_size() -> None:
    sizes: list[int] = []
    first = threading.Event()

    def run(batch: NDArray[np.uint8]) -> Arrays:
        first.wait(5)  # until every job has been handed in
        sizes.append(len(batch))
        return means(batch)

    batcher = Batcher(run)
    with ThreadPoolExecutor(20) as pool:
        jobs = [pool.submit(batcher, crops(i, i, i)) for i in range(20)]
        first.set()
        assert [job.result()[0][0] for job in jobs] == list(range(20))
    batcher.close()
    assert sum(sizes) == 60
    assert len(sizes) < 20
    assert max(sizes) <= MOST_CROPS


def test_nobody_waits_longer_than_for_a_full_batch(monkeypatch: pytest.MonkeyPatch) -> None:
    assert batcher_module.LONGEST_WAIT <= 0.010
    monkeypatch.setattr(batcher_module, "LONGEST_WAIT", 60.0)
    batcher = Batcher(means)
    with ThreadPoolExecutor(MOST_CROPS) as pool:
        jobs = [pool.submit(batcher, crops(i)) for i in range(MOST_CROPS)]
        assert [job.result(timeout=30)[0][0] for job in jobs] == list(range(MOST_CROPS))
    batcher.close()


def test_a_lone_crop_is_not_left_waiting() -> None:
    batcher = Batcher(means)
    with ThreadPoolExecutor(1) as pool:
        assert pool.submit(batcher, crops(7)).result(timeout=30)[0].tolist() == [7]
    batcher.close()


def test_a_long_job_is_cut_up() -> None:
    batcher = Batcher(means)
    assert batcher(crops(*range(100)))[0].tolist() == list(range(100))
    batcher.close()


def test_an_error_reaches_those_who_wait_and_the_thread_lives_on() -> None:
    def run(batch: NDArray[np.uint8]) -> Arrays:
        if batch.max() == 13:
            raise ValueError("bad luck")
        return means(batch)

    batcher = Batcher(run)
    with pytest.raises(ValueError, match="bad luck"):
        batcher(crops(13))
    assert batcher(crops(1))[0].tolist() == [1]
    batcher.close()


def test_a_closed_batcher_refuses_and_leaves_no_thread() -> None:
    batcher = Batcher(means)
    batcher(crops(1))
    batcher.close()
    batcher.close()
    assert not any(thread.name == "batcher" and thread is batcher._thread for thread in threading.enumerate())
    with pytest.raises(RuntimeError, match="closed"):
        batcher(crops(1))
