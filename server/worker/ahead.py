"""Work on the next items while the reader is busy with one: the decoder runs on while the models load."""

from __future__ import annotations

import queue
import threading
from collections.abc import Iterable, Iterator
from typing import TypeVar

T = TypeVar("T")


def ahead(items: Iterable[T], depth: int) -> Iterator[T]:
    """The same items in the same order, up to `depth` of them made before they are asked for."""
    made: queue.Queue[tuple[T | None, BaseException | None, bool]] = queue.Queue(depth)

    def make() -> None:
        try:
            for item in items:
                made.put((item, None, False))
        except BaseException as error:  # noqa: BLE001 - raised again where the items are read
            made.put((None, error, True))
        else:
            made.put((None, None, True))

    threading.Thread(target=make, name="ahead", daemon=True).start()
    while True:
        item, error, over = made.get()
        if error is not None:
            raise error
        if over:
            return
        yield item  # type: ignore[misc]  # None only when it is over
