from __future__ import annotations

import threading
import time
from collections.abc import Iterator

import pytest

from server.store.db import Database
from server.store.tables import Check
from server.worker import relay
from server.worker.relay import Hints, Relay

SECONDS = 5.0


def queue(database: Database, count: int) -> None:
    with database.write() as session:
        session.add_all(
            Check(source="url", acquisition="download", options={}, variant="", priority=0, state="queued")
            for _ in range(count)
        )


def test_no_more_hints_than_rows_or_room() -> None:
    hints = Hints(3)
    assert hints.take(due=2) == 2
    assert hints.take(due=2) == 0, "the two that were sent will ask for these rows"
    assert hints.take(due=9) == 1
    with hints.answering() as asked:
        assert hints.take(due=9) == 0
        asked()
        assert hints.take(due=9) == 0, "one is running, two are on their way"
    assert hints.take(due=9) == 1


def test_a_hint_whose_task_broke_is_counted_out() -> None:
    hints = Hints(1)
    assert hints.take(1) == 1
    with pytest.raises(RuntimeError), hints.answering():
        raise RuntimeError
    assert hints.take(1) == 1


def test_hints_that_nobody_answers_are_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    hints = Hints(2)
    assert hints.take(2) == 2
    now = time.monotonic()
    monkeypatch.setattr(time, "monotonic", lambda: now + relay.FORGET_SECONDS + 1)
    assert hints.take(2) == 2


class Bell:
    def __init__(self) -> None:
        self.rung = threading.Semaphore(0)

    def __call__(self) -> None:
        self.rung.release()

    def rang(self, times: int) -> bool:
        return all(self.rung.acquire(timeout=SECONDS) for _ in range(times))


@pytest.fixture
def bell() -> Bell:
    return Bell()


@pytest.fixture
def hints() -> Hints:
    return Hints(2)


@pytest.fixture
def running(any_database: Database, bell: Bell, hints: Hints) -> Iterator[Relay]:
    made = Relay(any_database, hints, bell)
    made.start()
    yield made
    made.stop()
    made.join(SECONDS)
    assert not made.is_alive()


@pytest.mark.usefixtures("running")
def test_committed_rows_ring_the_bell_and_answers_make_room(any_database: Database, bell: Bell, hints: Hints) -> None:
    queue(any_database, 5)
    assert bell.rang(2)
    assert not bell.rung.acquire(timeout=0.2), "two at a time"
    with hints.answering():
        pass
    assert bell.rang(1)


def test_a_commit_is_heard_within_a_moment(database: Database, bell: Bell, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(relay, "LOOK_SECONDS", 60.0)  # only data_version can tell
    made = Relay(database, Hints(2), bell)
    made.start()
    queue(database, 1)
    assert bell.rang(1)
    queue(database, 1)
    started = time.monotonic()
    assert bell.rang(1)
    assert time.monotonic() - started < 1.0
    made.stop()
    made.join(SECONDS)
