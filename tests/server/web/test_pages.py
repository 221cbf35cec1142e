from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from server.settings import Settings
from server.store import people
from server.store.db import Database
from server.store.tables import AuditEvent
from tests.server.web.conftest import Clock, World, build
from tests.server.web.test_auth import form_token, sign_in

PASSWORD = "correct horse battery"


@pytest.fixture
def vera(world: World) -> str:
    with world.database.write() as session:
        people.add_user(session, "vera", PASSWORD, "viewer")
    return "vera"


def log_in(client: FlaskClient, name: str = "vera", password: str = PASSWORD, **more: str) -> Any:
    token = form_token(client.get("/login").text)
    return client.post("/login", data={"name": name, "password": password, "csrf_token": token, **more})


def post(client: FlaskClient, path: str, **fields: str) -> Any:
    return client.post(path, data={"csrf_token": form_token(client.get("/account").text), **fields})


def test_name_and_password_let_in(client: FlaskClient, vera: str) -> None:
    assert client.get("/").headers["Location"] == "/login?next=/"
    answer = log_in(client)
    assert answer.headers["Location"] == "/"
    assert client.get("/").status_code == 200
    assert client.get("/login").headers["Location"] == "/"


@pytest.mark.parametrize(("name", "password"), [("vera", "wrong password"), ("nobody", PASSWORD), ("", "")])
def test_a_wrong_password_does_not(client: FlaskClient, vera: str, name: str, password: str) -> None:
    answer = log_in(client, name, password)
    assert answer.status_code == 401
    assert "do not belong together" in answer.text
    assert client.get("/").status_code == 302


def test_a_form_without_its_token_is_refused(client: FlaskClient, vera: str) -> None:
    client.get("/login")
    answer = client.post("/login", data={"name": "vera", "password": PASSWORD})
    assert answer.status_code == 403
    assert "<code>csrf</code>" in answer.text


def test_guessing_is_slowed_down(settings: Settings, database: Database, vera: str) -> None:
    client = build(settings.model_copy(update={"rate_logins": "2/minute"}), database).test_client()
    assert [log_in(client, "vera", "wrong password").status_code for _ in range(3)] == [401, 401, 429]
    answer = log_in(client)
    assert answer.status_code == 429, "not even the right one, for a while"
    assert int(answer.headers["Retry-After"]) > 0


def test_a_forged_form_of_another_origin_does_not_lock_people_out(
    settings: Settings, database: Database, vera: str
) -> None:
    client = build(settings.model_copy(update={"rate_logins": "2/minute"}), database).test_client()
    for _ in range(5):
        assert client.post("/login", data={"name": "vera", "password": "x"}).status_code == 403
    assert log_in(client).status_code == 302


@pytest.mark.parametrize(
    ("wanted", "location"),
    [
        ("/account", "/account"),
        ("/api/docs#x", "/api/docs#x"),
        ("https://evil.example/", "/"),
        ("//evil.example/", "/"),
        ("/\\evil.example/", "/"),
        ("/\r\nSet-Cookie: a=b", "/"),
    ],
)
def test_the_way_on_stays_here(client: FlaskClient, vera: str, wanted: str, location: str) -> None:
    assert log_in(client, next=wanted).headers["Location"] == location


def test_a_link_works_once_and_only_when_clicked(client: FlaskClient, app: Flask, world: World, vera: str) -> None:
    with world.database.write() as session:
        secret = people.create_login_link(session, people.get_user(session, "vera"), now=world.clock())
    path = f"/login/link/{secret}"
    for _ in range(3):  # looking at it does not use it up
        page = client.get(path)
        assert page.status_code == 200
    assert client.post(path, data={"csrf_token": form_token(page.text)}).headers["Location"] == "/"
    assert client.get("/").status_code == 200
    second = app.test_client()
    again = second.post(path, data={"csrf_token": form_token(second.get(path).text)})
    assert again.status_code == 401
    assert "used before" in again.text


def test_a_one_time_password_is_followed_by_choosing_one(client: FlaskClient, app: Flask, world: World) -> None:
    with world.database.write() as session:
        people.add_user(session, "once", PASSWORD, "admin", once=True)
    assert log_in(client, "once").headers["Location"] == "/account"
    assert log_in(app.test_client(), "once").status_code == 401
    assert "Choose a password" in client.get("/account").text
    assert post(client, "/account/password", password="short").status_code == 400
    assert post(client, "/account/password", password="a longer one, mine").status_code == 302
    assert log_in(app.test_client(), "once", "a longer one, mine").headers["Location"] == "/"


def test_changing_the_password_asks_for_the_old_one_and_ends_other_logins(
    client: FlaskClient, app: Flask, vera: str
) -> None:
    other = app.test_client()
    log_in(client)
    log_in(other)
    refused = post(client, "/account/password", password="another good one", current="not the old one")
    assert refused.status_code == 403
    assert other.get("/").status_code == 200
    assert post(client, "/account/password", password="another good one", current=PASSWORD).status_code == 302
    assert client.get("/").status_code == 200
    assert other.get("/").status_code == 302


def test_a_login_can_be_ended_from_elsewhere_but_only_ones_own(
    client: FlaskClient, app: Flask, world: World, vera: str
) -> None:
    mine, stranger = app.test_client(), app.test_client()
    log_in(client)
    log_in(mine)
    sign_in(stranger, world)
    ids = re.findall(r"/account/sessions/([0-9a-f]{32})", client.get("/account").text)
    assert len(ids) == 2
    theirs = re.findall(r"/account/sessions/([0-9a-f]{32})", stranger.get("/account").text)
    assert post(client, f"/account/sessions/{theirs[0]}").status_code == 302
    assert stranger.get("/").status_code == 200
    for one in ids:
        post(mine, f"/account/sessions/{one}") if mine.get("/").status_code == 200 else None
    assert client.get("/").status_code == 302


def test_signing_out_ends_the_login_itself(client: FlaskClient, vera: str, settings: Settings) -> None:
    log_in(client)
    kept = client.get_cookie(f"unmask_{settings.port}")
    assert kept is not None
    assert post(client, "/logout").headers["Location"] == "/login"
    client.set_cookie(kept.key, kept.value)
    assert client.get("/").status_code == 302, "a stolen cookie is of no use after signing out"


def test_a_login_ends_by_itself(client: FlaskClient, clock: Clock, vera: str, settings: Settings) -> None:
    log_in(client)
    clock.now += timedelta(hours=settings.session_hours, seconds=1)
    assert client.get("/").status_code == 302


def test_the_cookie_changes_with_the_login(client: FlaskClient, vera: str, settings: Settings) -> None:
    """Nobody can plant a cookie before the log-in and own it afterwards."""
    before = form_token(client.get("/login").text)
    log_in(client)
    assert client.get("/api/v1/checks", headers={"X-CSRF-Token": before}).status_code == 403


def test_a_token_cannot_take_over_the_account(client: FlaskClient, world: World) -> None:
    sign_in(client, world)
    page = form_token(client.get("/account").text)
    answer = client.post(
        "/account/password", data={"csrf_token": page, "password": "a new long one"}, headers=world.bearer("admin")
    )
    assert answer.status_code == 403


def test_who_came_in_is_written_down(client: FlaskClient, world: World, vera: str) -> None:
    log_in(client, "vera", "wrong password")
    log_in(client)
    with world.database.read() as session:
        events = session.scalars(select(AuditEvent).order_by(AuditEvent.at)).all()
    assert [(event.action, event.actor) for event in events] == [("login.refused", "vera"), ("login", "vera")]
    assert PASSWORD not in str([event.details for event in events])


def test_the_start_page_offers_what_there_is(client: FlaskClient, world: World) -> None:
    page = client.get("/", headers=world.bearer()).text
    for words in ("meso4", "blend", "60 (usual)", "Your recent checks"):
        assert words in page


def test_a_code_for_the_extension_is_shown_once(client: FlaskClient, vera: str, world: World) -> None:
    log_in(client)
    shown = re.search(r"<code>(\w{4}-\w{4})</code>", post(client, "/account/pairings").text)
    assert shown is not None
    assert shown[1] not in client.get("/account").text
    paired = client.post("/api/v1/pairings", json={"code": shown[1]}).json
    assert (paired["user"], paired["role"], paired["scopes"]) == ("vera", "viewer", ["check", "lookup"])


def test_a_token_gets_no_code(client: FlaskClient, vera: str, world: World) -> None:
    log_in(client)
    token = form_token(client.get("/account").text)
    headers = world.bearer(name="vera")
    assert client.post("/account/pairings", data={"csrf_token": token}, headers=headers).status_code == 403
