"""Working ahead changes neither what comes nor what goes wrong."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from server.worker.ahead import ahead


def test_everything_comes_in_order() -> None:
    assert list(ahead(range(100), 3)) == list(range(100))
    assert list(ahead([], 3)) == []


def test_an_error_comes_after_what_was_made_before_it() -> None:
    def broken() -> Iterator[int]:
        yield 1
        raise ValueError("damaged")

    made = ahead(broken(), 5)
    assert next(made) == 1
    with pytest.raises(ValueError, match="damaged"):
        next(made)


def test_large_items_are_made_less_far_ahead() -> None:
    made: list[int] = []
    waiting = threading.Event()

    def making() -> Iterator[int]:
        for size in (1, 1, 4, 4, 4):
            made.append(size)
            if len(made) == 4:
                waiting.set()
            yield size

    items = ahead(making(), 5, lambda size: size)
    assert next(items) == 1
    assert waiting.wait(5), "1 and 4 fill it, another 4 is made and has no place yet"
    assert made == [1, 1, 4, 4]
    assert list(items) == [1, 4, 4, 4]


def test_items_are_made_before_they_are_asked_for_but_not_without_bound() -> None:
    made: list[int] = []
    third = threading.Event()

    def making() -> Iterator[int]:
        for number in range(10):
            made.append(number)
            if number == 3:
                third.set()
            yield number

    items = ahead(making(), 2)
    assert next(items) == 0
    assert third.wait(5), "0 was read, 1 and 2 wait, 3 is made and has no place yet"
    assert made == [0, 1, 2, 3]
