from __future__ import annotations

from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select

from server.settings import Settings
from server.store import pairings, people
from server.store.db import Database
from server.store.tables import AuditEvent
from tests.server.web.conftest import World, build
from tests.server.web.test_errors import shape

EXTENSION = {"Origin": "chrome-extension://abcdefghijklmnop"}


@pytest.fixture
def code(world: World) -> str:
    with world.database.write() as session:
        people.add_user(session, "vera", None, "viewer")
        return pairings.offer(session, "vera", name="t", role="viewer", scopes=("lookup", "check"), now=world.clock())


def pair(client: FlaskClient, code: str, **headers: str) -> Any:
    return client.post("/api/v1/pairings", json={"code": code}, headers={**EXTENSION, **headers})


def test_a_code_becomes_a_token(client: FlaskClient, code: str, world: World) -> None:
    answer = pair(client, code)
    assert answer.status_code == 201
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    given = answer.json
    assert (given["user"], given["role"], given["scopes"], given["expires_at"]) == (
        "vera", "viewer", ["check", "lookup"], None,
    )  # fmt: skip
    assert client.get("/api/v1/models", headers={"Authorization": f"Bearer {given['token']}"}).status_code == 200
    shape(pair(client, code), 403, "wrong_code")
    with world.database.read() as session:
        assert session.scalars(select(AuditEvent.action)).all() == ["pairing.used", "pairing.refused"]


def test_wrong_tries_count_although_they_are_refused(client: FlaskClient, code: str) -> None:
    for _ in range(5):
        shape(pair(client, "AAAA-AAAA"), 403, "wrong_code")
    shape(pair(client, code), 403, "wrong_code")


@pytest.mark.parametrize("origin", ["https://evil.example", "http://127.0.0.1:8000", "null", ""])
def test_a_page_of_the_web_uses_up_no_tries(client: FlaskClient, code: str, origin: str) -> None:
    for _ in range(5):
        shape(pair(client, "AAAA-AAAA", Origin=origin), 403, "forbidden")
    assert pair(client, code).status_code == 201


def test_a_program_pairs_too(client: FlaskClient, code: str) -> None:
    assert client.post("/api/v1/pairings", json={"code": code}).status_code == 201


def test_tries_are_limited_by_address(settings: Settings, database: Database) -> None:
    client = build(settings.model_copy(update={"rate_logins": "2/minute"}), database).test_client()
    assert [pair(client, "AAAA-AAAA").status_code for _ in range(3)] == [403, 403, 429]
