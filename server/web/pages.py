"""The pages: start, log-in by password or one-time link, account, log-out."""

from __future__ import annotations

from typing import Any

from flask import redirect as flask_redirect
from flask import render_template, request, session
from pydantic import BaseModel, Field
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from server.errors import Denied, UnmaskError
from server.options import DEFAULT_SEQUENCE_LENGTH, SEQUENCE_LENGTHS
from server.store import pairings, people
from server.store.rights import Caller
from server.store.tables import User
from server.web.api.blueprint import resource
from server.web.auth import caller, identify, needs
from server.web.services import services

_HTML = {"content": {"text/html": {"schema": {"type": "string"}}}}
_PAGE: dict[Any, Any] = {200: dict(_HTML)}
_FORM: dict[Any, Any] = {**_PAGE, 302: {"description": "Done; on to the next page."}}
_ERRORS: dict[Any, Any] = {400: {**_HTML, "description": "What is wrong, and a code to quote."}}
api = resource("pages", "For people", prefix=None, errors=_ERRORS)


class LinkPath(BaseModel):
    secret: str = Field(description="The secret of a one-time link.", max_length=100)


class IdPath(BaseModel):
    session_id: str = Field(description="Id of a log-in.", max_length=32)


@api.get("/", responses=_PAGE)
@needs("person")
def start() -> str:
    """Start page: give an address or a file, see the verdict"""
    detectors = [entry["name"] for entry in services().catalogue() if entry["installed"]]
    return render_template(
        "start.html", person=caller(), detectors=detectors, lengths=SEQUENCE_LENGTHS, usual=DEFAULT_SEQUENCE_LENGTH
    )


@api.get("/login", responses=_PAGE)
@needs("open")
def login() -> str | Response:
    """Log-in page"""
    if "Authorization" not in request.headers and identify() is not None:
        return flask_redirect(_next())
    return render_template("login.html", next=_next(), failed=False)


@api.post("/login", responses=_FORM)
@needs("open", limit="logins")
def log_in() -> tuple[str, int] | Response:
    """Log in with name and password"""
    name = request.form.get("name", "").replace("\0", "\N{REPLACEMENT CHARACTER}")  # PostgreSQL stores no NUL
    password = request.form.get("password", "")
    with services().database.write() as rows:
        user = people.check_password(rows, name, password)
        people.audit(rows, name[:80], "login" if user else "login.refused", address=request.remote_addr)
        if user is not None:
            return _enter(rows, user)
    return render_template("login.html", next=_next(), failed=True), 401


@api.get("/login/link/<string:secret>", responses=_PAGE)
@needs("open")
def link(path: LinkPath) -> str:
    """One-time link: asks for one click, so that a preview of the link does not use it up"""
    return render_template("link.html")


@api.post("/login/link/<string:secret>", responses=_FORM)
@needs("open", limit="logins")
def follow(path: LinkPath) -> tuple[str, int] | Response:
    """Log in by a one-time link"""
    with services().database.write() as rows:
        user = people.use_login_link(rows, path.secret, services().clock())
        if user is not None:
            people.audit(rows, user.name, "login", by="link", address=request.remote_addr)
            return _enter(rows, user)
    return render_template("login.html", next="/", failed="link"), 401


@api.post("/logout", responses=_FORM)
@needs("person")
def log_out() -> Response:
    """Log out of this browser"""
    if (login_id := caller().session_id) is not None:
        with services().database.write() as rows:
            people.end_session(rows, login_id)
    session.clear()
    return flask_redirect("/login")


@api.get("/account", responses=_PAGE)
@needs("person")
def account() -> str:
    """My account: password, and where I am logged in"""
    return _account()


@api.post("/account/password", responses=_FORM)
@needs("person", limit="logins")
def change_password() -> tuple[str, int] | Response:
    """Choose another password; all other log-ins end"""
    person, given = _at_a_browser(), request.form.get("current", "")
    try:
        with services().database.write() as rows:
            user = people.get_user(rows, person.name)
            if not people.must_choose_password(user) and people.check_password(rows, user.name, given) is None:
                return _account(problem="That is not your current password."), 403
            people.set_password(rows, user.name, request.form.get("password", ""), keep=person.session_id)
            people.audit(rows, person.name, "password.changed", person.name)
    except UnmaskError as error:
        return _account(problem=error.message), 400
    return flask_redirect("/account?done=password")


@api.post("/account/sessions/<string:session_id>", responses=_FORM)
@needs("person")
def end_session(path: IdPath) -> Response:
    """End one of my log-ins"""
    person = _at_a_browser()
    with services().database.write() as rows:
        mine = {row.id for row in people.sessions(rows, person.user_id)}
        if path.session_id in mine:
            people.end_session(rows, path.session_id)
            people.audit(rows, person.name, "session.ended", path.session_id)
    return flask_redirect("/account")


@api.post("/account/pairings", responses=_PAGE)
@needs("person")
def pair() -> str:
    """A code by which a browser's extension gets a token that acts for me"""
    person, now = _at_a_browser(), services().clock()
    with services().database.write() as rows:
        code = pairings.offer(rows, person.name, name="browser", role="viewer", scopes=("lookup", "check"), now=now)
        people.audit(rows, person.name, "pairing.offered", person.name)
    return _account(code=code)


def _account(problem: str | None = None, code: str | None = None) -> str:
    person = caller()
    with services().database.read() as rows:
        user = people.get_user(rows, person.name)
        logins = people.sessions(rows, person.user_id, services().clock())
        choose = people.must_choose_password(user)
    return render_template(
        "account.html",
        person=person,
        logins=logins,
        choose=choose,
        problem=problem,
        code=code,
        done=request.args.get("done"),
    )


def _at_a_browser() -> Caller:
    """A token is for programs: it cannot take over the account it belongs to."""
    person = caller()
    if person.session_id is None:
        raise Denied("Sign in to change your account; a token cannot.")
    return person


def _enter(rows: Session, user: User) -> Response:
    """A fresh cookie and a fresh form token: what was in the browser before the log-in counts for nothing."""
    settings = services().settings
    secret = people.open_session(rows, user, settings.session_hours, services().clock())
    session.clear()
    session["login"] = secret
    return flask_redirect("/account" if people.must_choose_password(user) else _next())


def _next() -> str:
    """Only a path of ours: `//host` and `/\\host` would lead away."""
    path = request.values.get("next", "/")
    safe = path.startswith("/") and not path.startswith(("//", "/\\")) and path.isprintable()
    return path if safe else "/"
