"""Shared or alone: from its second attempt a check runs alone, so that a poisoned file takes no neighbours with it."""

from __future__ import annotations

import threading


class Gate:
    """Any number may be inside together. One of them may ask to be alone: nobody enters until it has left."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._inside = 0
        self._alone = False
        self._want_alone = 0
        self._closed = False

    def enter(self) -> bool:
        """False: the gate was closed."""
        with self._changed:
            self._changed.wait_for(lambda: self._closed or not (self._alone or self._want_alone))
            if not self._closed:
                self._inside += 1
            return not self._closed

    def be_alone(self) -> None:
        """Called inside. Two that ask at once take turns."""
        with self._changed:
            self._inside -= 1
            self._want_alone += 1
            self._changed.notify_all()
            self._changed.wait_for(lambda: not self._alone and self._inside == 0)
            self._want_alone -= 1
            self._inside += 1
            self._alone = True

    def leave(self) -> None:
        with self._changed:
            self._inside -= 1
            self._alone = self._alone and self._inside > 0
            self._changed.notify_all()

    def close(self) -> None:
        with self._changed:
            self._closed = True
            self._changed.notify_all()
