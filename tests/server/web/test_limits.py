from __future__ import annotations

from collections.abc import Callable

import pytest
from flask.testing import FlaskClient

from server.errors import Busy
from server.settings import Settings
from server.store.db import Database
from server.web.limits import Slots
from tests.server.web.conftest import World, build, upload
from tests.server.web.test_errors import shape


@pytest.fixture
def limited(settings: Settings, database: Database) -> Callable[..., FlaskClient]:
    def make(**changes: object) -> FlaskClient:
        return build(settings.model_copy(update=changes), database).test_client()

    return make


def test_each_token_has_its_own_share(limited: Callable[..., FlaskClient], world: World) -> None:
    client = limited(rate_lookups="2/minute")
    mine, other = world.bearer(name="one"), world.bearer(name="two")
    assert [client.get("/api/v1/models", headers=mine).status_code for _ in range(3)] == [200, 200, 429]
    refused = client.get("/api/v1/verdicts/prefixes", headers=mine)  # one share for all look-ups
    shape(refused, 429, "rate_limited")
    assert 1 <= int(refused.headers["Retry-After"]) <= 60
    assert client.get("/api/v1/models", headers=other).status_code == 200


def test_looking_up_does_not_use_up_checks(limited: Callable[..., FlaskClient], world: World) -> None:
    client, headers = limited(rate_lookups="1/minute", rate_checks="1/minute"), world.bearer()
    asked = {"json": {"url": "http://a.example/"}, "headers": headers}
    assert client.get("/api/v1/models", headers=headers).status_code == 200
    assert client.post("/api/v1/checks", **asked).status_code == 202
    assert client.post("/api/v1/checks", **asked).status_code == 429


def test_the_public_is_counted_by_address(limited: Callable[..., FlaskClient]) -> None:
    client = limited(rate_lookups="1/minute", public_lookup=True, proxies=1)
    from_one, from_two = {"X-Forwarded-For": "203.0.113.1"}, {"X-Forwarded-For": "203.0.113.2"}
    assert client.get("/api/v1/verdicts/prefixes", headers=from_one).status_code == 200
    assert client.get("/api/v1/verdicts/prefixes", headers=from_one).status_code == 429
    assert client.get("/api/v1/verdicts/prefixes", headers=from_two).status_code == 200


def test_health_is_never_limited(limited: Callable[..., FlaskClient]) -> None:
    client = limited(rate_lookups="1/minute")
    assert {client.get("/healthz").status_code for _ in range(5)} == {200}


def test_so_many_uploads_at_once(limited: Callable[..., FlaskClient], world: World) -> None:
    client = limited(uploads=1)
    with client.application.extensions["unmask"].uploads.one():
        refused = client.post("/api/v1/checks", data=upload(), headers=world.bearer())
        shape(refused, 503, "busy")
        assert refused.headers["Retry-After"] == "2"
    assert client.post("/api/v1/checks", data=upload(), headers=world.bearer()).status_code == 202


def test_a_full_queue_sends_away_and_keeps_no_bytes(limited: Callable[..., FlaskClient], world: World) -> None:
    client, headers = limited(queue_limit=1), world.bearer()
    assert client.post("/api/v1/checks", json={"url": "http://a.example/"}, headers=headers).status_code == 202
    refused = client.post("/api/v1/checks", data=upload(), headers=headers)
    shape(refused, 429, "queue_full")
    assert refused.headers["Retry-After"] == "30"
    assert not list(world.settings.spool.glob("*"))


def test_a_place_is_given_back_after_an_error() -> None:
    slots = Slots(1, Busy, retry_after=1)
    with pytest.raises(RuntimeError), slots.one():
        raise RuntimeError
    with slots.one(), pytest.raises(Busy):
        slots.take()
