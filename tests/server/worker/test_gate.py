from __future__ import annotations

import threading
from collections.abc import Callable, Iterator

import pytest

from server.worker.gate import Gate

SECONDS = 5.0


@pytest.fixture
def spawn() -> Iterator[Callable[[Callable[[], object]], threading.Event]]:
    """Runs a function in a thread; the event it gives is set when the function has returned."""
    threads: list[threading.Thread] = []

    def start(target: Callable[[], object]) -> threading.Event:
        done = threading.Event()

        def run() -> None:
            target()
            done.set()

        thread = threading.Thread(target=run)
        thread.start()
        threads.append(thread)
        return done

    yield start
    for thread in threads:
        thread.join(SECONDS)
        assert not thread.is_alive()


def test_one_that_wants_to_be_alone_waits_for_the_others_and_holds_back_new_ones(
    spawn: Callable[..., threading.Event],
) -> None:
    gate = Gate()
    gate.enter()  # a neighbour
    gate.enter()
    alone = spawn(gate.be_alone)
    assert not alone.wait(0.05)
    entered = spawn(gate.enter)
    assert not entered.wait(0.05)
    gate.leave()  # the neighbour is done
    assert alone.wait(SECONDS)
    assert not entered.wait(0.05)
    gate.leave()
    assert entered.wait(SECONDS)


def test_two_that_want_to_be_alone_take_turns(spawn: Callable[..., threading.Event]) -> None:
    gate = Gate()
    gate.enter()
    gate.enter()
    first, second = spawn(gate.be_alone), spawn(gate.be_alone)
    while not (first.wait(0.01) or second.wait(0.01)):
        pass
    assert first.is_set() != second.is_set()
    gate.leave()
    assert first.wait(SECONDS)
    assert second.wait(SECONDS)
    gate.leave()
    assert gate.enter()


def test_a_closed_gate_lets_nobody_in(spawn: Callable[..., threading.Event]) -> None:
    gate = Gate()
    gate.enter()
    gate.be_alone()
    answers: list[bool] = []
    waiting = spawn(lambda: answers.append(gate.enter()))
    gate.close()
    assert waiting.wait(SECONDS)
    assert answers == [False]
    gate.leave()
