from __future__ import annotations

import threading
from typing import Any

import pytest

from server.errors import Busy
from server.store import prefixes
from server.store.db import Database
from server.web import lists
from server.web.lists import LIST_SECONDS, STATE_SECONDS, KeyLists
from tests.server.web.conftest import World


class Watch:
    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How often the whole list was made."""
    calls: list[int] = []
    encode = prefixes.encode

    def counted(*given: Any) -> bytes:
        calls.append(1)
        return encode(*given)

    monkeypatch.setattr(prefixes, "encode", counted)
    return calls


def test_a_short_list_is_always_fresh(database: Database, world: World, made: list[int]) -> None:
    held = KeyLists(database, Watch())
    first = held.whole()
    assert held.whole() is first, "nothing changed"
    world.verdict()
    assert held.whole().state.keys == 1
    assert len(made) == 2


def test_a_long_list_stands_for_a_while(
    database: Database, world: World, made: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lists, "FRESH_BELOW", 1)
    watch = Watch()
    held = KeyLists(database, watch)
    world.verdict()
    first, state = held.whole(), held.state()
    world.verdict("https://example.org/b.jpg", sha256="b" * 64)
    assert (held.whole(), held.state()) == (first, state)
    watch.now = STATE_SECONDS
    assert held.state().keys == 2
    assert held.whole() is first
    watch.now = LIST_SECONDS
    assert held.whole().state.keys == 2
    assert len(made) == 2
    assert held.since(first.state.generation)[1][16:] != b""


def test_while_one_makes_it_the_others_do_not_wait(
    database: Database, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lists, "FRESH_BELOW", 1)
    monkeypatch.setattr(lists, "WAIT_SECONDS", 0.01)
    watch = Watch()
    held = KeyLists(database, watch)
    world.verdict()
    encode, begun, go_on = prefixes.encode, threading.Event(), threading.Event()

    def slow(*given: Any) -> bytes:
        begun.set()
        assert go_on.wait(10)
        return encode(*given)

    def in_the_making(then: Any) -> None:
        begun.clear(), go_on.clear()
        thread = threading.Thread(target=held.whole)
        thread.start()
        assert begun.wait(10)
        then()
        go_on.set()
        thread.join(10)

    def nothing_yet() -> None:
        with pytest.raises(Busy):
            held.whole()

    monkeypatch.setattr(prefixes, "encode", slow)
    in_the_making(nothing_yet)
    first = held.whole()
    watch.now = LIST_SECONDS
    in_the_making(lambda: first is held.whole() or pytest.fail("the one before"))
    assert held.whole() is not first
