"""Work on the next items while the reader is busy with one: the decoder runs on while the models load."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Iterable, Iterator
from typing import Any, TypeVar

T = TypeVar("T")


def ahead(items: Iterable[T], most: int, size: Callable[[T], int] = lambda item: 1) -> Iterator[T]:
    """The same items in the same order; made before they are asked for until their sizes reach `most` together."""
    made = _Weighed(most)

    def make() -> None:
        try:
            for item in items:
                made.put((size(item), item, None))
        except BaseException as error:  # noqa: BLE001 - raised again where the items are read
            made.put((1, None, error))
        else:
            made.put((1, None, _Over()))

    threading.Thread(target=make, name="ahead", daemon=True).start()
    while True:
        _, item, error = made.get()
        if isinstance(error, _Over):
            return
        if error is not None:
            raise error
        yield item


class _Over(Exception):
    pass


class _Weighed(queue.Queue[tuple[int, Any, BaseException | None]]):
    """Full when its items' sizes, each at least 1, reach `maxsize`."""

    def _init(self, maxsize: int) -> None:
        super()._init(maxsize)
        self._weight = 0

    def _qsize(self) -> int:
        return self._weight

    def _put(self, item: tuple[int, Any, BaseException | None]) -> None:
        super()._put(item)
        self._weight += item[0]

    def _get(self) -> tuple[int, Any, BaseException | None]:
        item = super()._get()
        self._weight -= item[0]
        return item
