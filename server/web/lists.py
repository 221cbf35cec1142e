"""The list of known keys, made rarely: a million keys take seconds to gather and are asked for by every browser.

Up to FRESH_BELOW keys everything is made anew (20 ms). Above, a list stands for a minute - as long as browsers are told
to keep it - and what came meanwhile is in the next delta, for a list carries its generation.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from server.errors import Busy
from server.store import prefixes
from server.store.db import Database
from server.store.prefixes import ListState

FRESH_BELOW = 10_000
STATE_SECONDS = 5.0  # counting a million keys takes 70 ms
LIST_SECONDS = 60.0
WAIT_SECONDS = 0.2  # then the others go on with what there is: threads are few


@dataclass(frozen=True)
class KeyList:
    state: ListState
    content: bytes
    made: float


class KeyLists:
    def __init__(self, database: Database, clock: Callable[[], float] = time.monotonic) -> None:
        self._database, self._clock = database, clock
        self._state: tuple[float, ListState] | None = None
        self._list: KeyList | None = None
        self._making = threading.Lock()

    def state(self) -> ListState:
        held, now = self._state, self._clock()
        if held is not None and held[1].keys >= FRESH_BELOW and now - held[0] < STATE_SECONDS:
            return held[1]
        with self._database.read() as session:
            state = prefixes.state(session)
        self._state = (now, state)
        return state

    def whole(self) -> KeyList:
        """One thread makes it; meanwhile the others get the one before, or are asked to come back."""
        held = self._list
        if held is not None and self._stands(held):
            return held
        if not self._making.acquire(timeout=WAIT_SECONDS):
            if held is None:
                raise Busy(retry_after=5)
            return held
        try:
            return self._make()
        finally:
            self._making.release()

    def since(self, generation: int) -> tuple[ListState, bytes]:
        state = self.state()
        with self._database.read() as session:
            return state, prefixes.encode(session, state, generation)

    def _stands(self, held: KeyList) -> bool:
        if held.state.keys >= FRESH_BELOW:
            return self._clock() - held.made < LIST_SECONDS
        return held.state.etag == self.state().etag

    def _make(self) -> KeyList:
        if self._list is not None and self._stands(self._list):
            return self._list  # another thread made it while this one waited
        with self._database.read() as session:
            state = prefixes.state(session)
            self._list = KeyList(state, prefixes.encode(session, state), self._clock())
        return self._list
