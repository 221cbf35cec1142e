"""How often, how many at once: rates by token or address, and places for uploads."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from flask import Flask, current_app, request
from flask_limiter import ApplicationLimit, Limiter

from server.errors import Busy
from server.settings import Settings
from server.web.auth import identify, limit_of


def install(app: Flask, settings: Settings) -> Limiter:
    """One limit a kind of request, shared by all routes that say so; counted by whoever asks."""
    rates = {"lookups": settings.rate_lookups, "checks": settings.rate_checks, "logins": settings.rate_logins}
    return Limiter(
        who,
        app=app,
        application_limits=[_limit(rate, kind) for kind, rate in rates.items()],
        storage_uri=settings.limits_url,
        strategy="fixed-window",
    )


def seconds_left() -> int:
    """Until the limit that this request ran into counts from nothing again."""
    limiter: Limiter = next(iter(current_app.extensions["limiter"]))
    reached = limiter.current_limit
    return max(1, int(reached.reset_at - time.time())) if reached is not None else 1  # reset_at is rounded up already


def _limit(rate: str, kind: str) -> ApplicationLimit:
    return ApplicationLimit(rate, scope=kind, exempt_when=lambda: limit_of(request.endpoint) != kind)


def who() -> str:
    """Log-ins are counted by address whoever claims to ask; a stolen token does not use up its owner's other one."""
    person = None if limit_of(request.endpoint) == "logins" else identify()
    if person is None:
        return f"address:{request.remote_addr}"
    return f"token:{person.token_id}" if person.token_id else f"user:{person.user_id}"


class Slots:
    """So many at once, the next one is sent away rather than left waiting with a thread in hand."""

    def __init__(self, count: int, error: type[Busy], retry_after: int) -> None:
        self._free = threading.BoundedSemaphore(count)
        self._error, self._retry_after = error, retry_after

    @contextmanager
    def one(self) -> Iterator[None]:
        self.take()
        try:
            yield
        finally:
            self.give()

    def take(self) -> None:
        if not self._free.acquire(blocking=False):
            raise self._error(retry_after=self._retry_after)

    def give(self) -> None:
        self._free.release()
