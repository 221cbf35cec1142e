"""Who is asking, and may they? Every route says what it needs; one that says nothing is refused to everybody.

A request with an Authorization header is judged by its token alone. A cookie counts on the API only together with the
X-CSRF-Token of our own pages - for reading too, so that no other origin reads through a signed-in browser.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from datetime import datetime
from typing import Any, TypeVar

from flask import Flask, current_app, g, request, session
from flask_wtf.csrf import validate_csrf
from wtforms import ValidationError  # type: ignore[import-untyped]

from server.errors import CsrfFailed, Denied, Unauthorized
from server.settings import Settings
from server.store import people
from server.store.db import Database
from server.store.rights import SCOPES, Caller
from server.web.security import is_api
from server.web.services import services

# open: anybody. person: anybody signed in. The rest are scopes.
NEEDS = ("open", "person", *SCOPES)
LIMITS = ("lookups", "checks", "logins")
CACHE_SECONDS = 2.0  # a revoked token dies within this; a look-up saves a SELECT of 0.2 ms
FLUSH_SECONDS = 60.0
_CACHE_SIZE = 10_000

View = TypeVar("View", bound=Callable[..., Any])


def needs(what: str, *, limit: str | None = None) -> Callable[[View], View]:
    """States what a route needs and which limit it counts against; the OpenAPI description is made from the same."""
    if what not in NEEDS or (limit is not None and limit not in LIMITS):
        raise ValueError(f"a route needs one of {NEEDS} and counts against one of {LIMITS}, not {what!r}, {limit!r}")

    def mark(view: View) -> View:
        view.needs, view.limit = what, limit  # type: ignore[attr-defined]
        return view

    return mark


def need_of(endpoint: str | None) -> str | None:
    if endpoint == "static":
        return "open"
    return getattr(current_app.view_functions.get(endpoint or ""), "needs", None)


def limit_of(endpoint: str | None) -> str | None:
    return getattr(current_app.view_functions.get(endpoint or ""), "limit", None)


class Doorman:
    """Knows tokens for two seconds, and notes their use now and then."""

    def __init__(self, database: Database, settings: Settings, clock: Callable[[], datetime]) -> None:
        self._database, self._settings, self._clock = database, settings, clock
        self._known: dict[str, tuple[float, Caller]] = {}
        self._used: dict[str, datetime] = {}
        self._flushed = time.monotonic()
        self._lock = threading.Lock()

    def by_token(self, secret: str) -> Caller:
        now = time.monotonic()
        until, caller = self._known.get(secret, (0.0, None))
        if caller is None or until < now:
            with self._database.read() as rows:
                caller = people.by_token(rows, secret, self._clock())
            if len(self._known) >= _CACHE_SIZE:
                self._known.clear()
            self._known[secret] = (now + CACHE_SECONDS, caller)
        self._note(caller, now)
        return caller

    def by_cookie(self, secret: str) -> Caller | None:
        with self._database.read() as rows:
            return people.by_cookie(rows, secret, self._clock())

    def flush(self) -> None:
        with self._lock:
            used, self._used = self._used, {}
            self._flushed = time.monotonic()
        if used:
            with self._database.write() as rows:
                people.note_use(rows, used)

    def _note(self, caller: Caller, now: float) -> None:
        if caller.token_id is None:
            return
        with self._lock:
            self._used[caller.token_id] = self._clock()
            due = now - self._flushed > FLUSH_SECONDS
            if due:
                self._flushed = now
        if due:
            threading.Thread(target=self.flush, name="token-use", daemon=True).start()


def install(app: Flask) -> None:
    app.before_request(admit)


def admit() -> None:
    """Runs before limits, parsing and the view: nobody learns from an error what they may not know."""
    if request.endpoint is None:
        return  # 404 and 405 are the router's to say
    what = need_of(request.endpoint)
    if what is None:
        raise Denied
    if what == "open" or (what == "lookup" and not _shows_papers() and services().settings.public_lookup):
        return
    caller = identify()
    if caller is None:
        raise Unauthorized
    if what != "person" and not caller.may(what):
        raise Denied(details={"needs": what})


def identify() -> Caller | None:
    """The caller, asked once a request."""
    if "caller" not in g:
        g.caller = _by_header() if "Authorization" in request.headers else _by_cookie()
    return g.caller  # type: ignore[no-any-return]


def caller() -> Caller:
    """In a view whose route needs a person."""
    found = identify()
    if found is None:
        raise Unauthorized
    return found


def _shows_papers() -> bool:
    return "Authorization" in request.headers or "X-CSRF-Token" in request.headers


def _by_header() -> Caller:
    kind, _, secret = request.headers["Authorization"].partition(" ")
    if kind.lower() != "bearer" or not secret.strip():
        raise Unauthorized
    return services().doorman.by_token(secret.strip())


def _by_cookie() -> Caller | None:
    secret = session.get("login")
    if not isinstance(secret, str):
        return None
    if is_api():
        token = request.headers.get("X-CSRF-Token")
        if token is None:
            return None
        check_csrf(token)
    return services().doorman.by_cookie(secret)


def check_csrf(token: str) -> None:
    """A page of another origin cannot know the token; one of the same site (another port) can send the cookie."""
    if request.headers.get("Sec-Fetch-Site", "same-origin") not in ("same-origin", "none"):
        raise CsrfFailed
    try:
        validate_csrf(token)
    except ValidationError as error:
        raise CsrfFailed from error
