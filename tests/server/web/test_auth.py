"""Who may do what, route by route; and what a cookie, a token, another origin can and cannot do."""

from __future__ import annotations

import re
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from server.settings import Settings
from server.store.db import Database
from server.web.auth import CACHE_SECONDS, needs
from tests.server.web.conftest import World, build, upload

ZERO = "0" * 32
# What each asks for, and the status by caller: nobody, viewer, lookup-only token, admin. A wrong and an expired token
# fare like nobody on every route that needs anything. 404 and 400 come from behind the door.
ROUTES: list[tuple[str, str, tuple[int, int, int, int]]] = [
    ("GET", "/healthz", (200, 200, 200, 200)),
    ("GET", "/readyz", (200, 200, 200, 200)),
    ("GET", "/metrics", (200, 200, 200, 200)),  # from this machine; test_health has the others
    ("GET", "/extension", (200, 200, 200, 200)),
    ("GET", "/extension/unmask.zip", (200, 200, 200, 200)),
    ("GET", "/login", (200, 200, 200, 200)),
    ("POST", "/login", (403, 403, 403, 403)),  # without the form's token
    ("GET", "/login/link/nothing", (200, 200, 200, 200)),
    ("POST", "/login/link/nothing", (403, 403, 403, 403)),
    ("GET", "/static/tokens.css", (200, 200, 200, 200)),
    ("GET", "/api/v1/openapi.json", (200, 200, 200, 200)),
    ("POST", "/api/v1/pairings", (415, 415, 415, 415)),  # the code is the proof
    ("GET", "/", (302, 200, 200, 200)),
    ("GET", "/account", (302, 200, 200, 200)),
    ("POST", "/account/password", (403, 403, 403, 403)),
    ("POST", "/account/pairings", (403, 403, 403, 403)),
    ("POST", "/account/sessions/x", (403, 403, 403, 403)),
    ("POST", "/logout", (403, 403, 403, 403)),
    ("GET", "/api/docs", (302, 200, 200, 200)),
    ("GET", "/api/v1/models", (401, 200, 200, 200)),
    ("GET", "/api/v1/verdicts?url=http://a.example/", (401, 404, 404, 404)),
    ("POST", "/api/v1/verdicts/lookup", (401, 415, 415, 415)),
    ("GET", f"/api/v1/verdicts/by-hash/{'0' * 64}", (401, 404, 404, 404)),
    ("GET", f"/api/v1/verdicts/{ZERO}", (401, 404, 404, 404)),
    ("GET", f"/api/v1/verdicts/{ZERO}/history", (401, 404, 404, 404)),
    ("GET", f"/api/v1/media/{'0' * 64}/similar", (401, 404, 404, 404)),
    ("GET", "/api/v1/verdicts/prefixes", (401, 200, 200, 200)),
    ("GET", "/api/v1/verdicts/by-prefix/0", (401, 200, 200, 200)),
    ("GET", f"/api/v1/evidence/{ZERO}", (401, 404, 403, 404)),
    ("POST", "/api/v1/checks", (401, 415, 403, 415)),
    ("GET", "/api/v1/checks", (401, 200, 403, 200)),
    ("GET", f"/api/v1/checks/{ZERO}", (401, 404, 403, 404)),
    ("GET", f"/api/v1/checks/{ZERO}/events", (401, 404, 403, 404)),
    ("DELETE", f"/api/v1/checks/{ZERO}", (401, 404, 403, 404)),
]


def test_the_table_below_names_every_route(app: Flask) -> None:
    adapter = app.url_map.bind("localhost")
    named = {(method, adapter.match(path.partition("?")[0], method)[0]) for method, path, _ in ROUTES}
    there = {
        (method, rule.endpoint)
        for rule in app.url_map.iter_rules()
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
    }
    assert named == there


@pytest.mark.parametrize(("method", "path", "statuses"), ROUTES)
def test_status_by_caller(
    client: FlaskClient, world: World, method: str, path: str, statuses: tuple[int, int, int, int]
) -> None:
    nobody, viewer, lookup_only, admin = statuses
    callers: list[tuple[dict[str, str], int]] = [
        ({}, nobody),
        (world.bearer("viewer"), viewer),
        (world.bearer("viewer", "lookup"), lookup_only),
        (world.bearer("admin"), admin),
    ]
    if nobody != viewer:
        callers += [({"Authorization": "Bearer umk_wrong"}, nobody), (world.bearer(expired=True), nobody)]
        callers += [({"Authorization": "Basic dmVyYTp4"}, nobody), ({"Authorization": "Bearer"}, nobody)]
    for headers, status in callers:
        with client.open(path, method=method, headers=headers) as answer:
            assert answer.status_code == status, (headers, answer.data[:200])


def test_a_route_that_says_nothing_is_refused_to_everybody(app: Flask, world: World) -> None:
    app.add_url_rule("/forgotten", view_func=lambda: "open to all?")
    assert app.test_client().get("/forgotten", headers=world.bearer("admin")).status_code == 403


def test_a_need_that_does_not_exist_is_refused_at_start() -> None:
    with pytest.raises(ValueError, match="a route needs one of"):
        needs("everything")


def test_expired_and_unknown_tokens_are_told_apart(client: FlaskClient, world: World) -> None:
    expired = client.get("/api/v1/models", headers=world.bearer(expired=True))
    assert expired.json["error"]["code"] == "token_expired"
    unknown = client.get("/api/v1/models", headers={"Authorization": "Bearer umk_unknown"})
    assert unknown.json["error"]["code"] == "unauthorized"


def test_a_revoked_token_dies_within_seconds(app: Flask, world: World, monkeypatch: Any) -> None:
    client, secret, now = app.test_client(), world.token(), [100.0]
    monkeypatch.setattr("server.web.auth.time.monotonic", lambda: now[0])
    headers = {"Authorization": f"Bearer {secret}"}
    assert client.get("/api/v1/models", headers=headers).status_code == 200
    world.revoke(secret)
    now[0] += CACHE_SECONDS + 0.01
    assert client.get("/api/v1/models", headers=headers).status_code == 401


def test_the_use_of_a_token_is_noted_later(app: Flask, world: World) -> None:
    from server.store import people

    headers = world.bearer()
    app.test_client().get("/api/v1/models", headers=headers)
    with world.database.read() as session:
        assert people.tokens(session)[0][0].last_used_at is None
    app.extensions["unmask"].doorman.flush()
    with world.database.read() as session:
        assert people.tokens(session)[0][0].last_used_at == world.clock()


def test_public_lookup_opens_lookups_alone(settings: Settings, database: Database, world: World) -> None:
    client = build(settings.model_copy(update={"public_lookup": True}), database).test_client()
    world.verdict()
    assert client.get("/api/v1/verdicts?url=https://example.org/a.jpg").status_code == 200
    assert client.post("/api/v1/verdicts/lookup", json={"urls": ["http://x.example/"]}).status_code == 200
    assert client.get("/api/v1/checks").status_code == 401
    assert client.post("/api/v1/checks", json={"url": "http://x.example/"}).status_code == 401
    wrong = client.get("/api/v1/verdicts/prefixes", headers={"Authorization": "Bearer umk_wrong"})
    assert wrong.status_code == 401, "a token that is shown must be good"


def sign_in(client: FlaskClient, world: World, role: str = "viewer") -> str:
    """A browser signed in by a link; the token its pages carry."""
    from server.store import people

    with world.database.write() as session:
        user = people.find_user(session, f"{role}-person") or people.add_user(session, f"{role}-person", None, role)
        secret = people.create_login_link(session, user, now=world.clock())
    page = client.get(f"/login/link/{secret}").text
    answer = client.post(f"/login/link/{secret}", data={"csrf_token": form_token(page)})
    assert answer.status_code == 302
    return form_token(client.get("/").text)


def form_token(page: str) -> str:
    found = re.search(r'name="csrf_token" value="([^"]+)"', page)
    assert found is not None
    return found[1]


def test_the_api_ignores_a_cookie_alone(client: FlaskClient, world: World) -> None:
    token = sign_in(client, world)
    for path in ("/api/v1/checks", "/api/v1/models", "/api/v1/verdicts/prefixes"):
        assert client.get(path).status_code == 401
        assert client.get(path, headers={"X-CSRF-Token": token}).status_code == 200
    assert client.post("/api/v1/checks", data=upload()).status_code == 401
    assert client.post("/api/v1/checks", data=upload(), headers={"X-CSRF-Token": token}).status_code == 202


def test_a_wrong_page_token_is_refused(client: FlaskClient, app: Flask, world: World) -> None:
    sign_in(client, world)
    other = sign_in(app.test_client(), world)
    for wrong in (other, "nonsense", ""):
        answer = client.get("/api/v1/checks", headers={"X-CSRF-Token": wrong})
        assert answer.status_code == 403
        assert answer.json["error"]["code"] == "csrf"


def test_a_page_token_sent_by_another_origin_is_refused(client: FlaskClient, world: World) -> None:
    token = sign_in(client, world)
    for site in ("cross-site", "same-site"):  # another port of the same machine is the same site
        answer = client.get("/api/v1/checks", headers={"X-CSRF-Token": token, "Sec-Fetch-Site": site})
        assert answer.status_code == 403


def test_a_token_outranks_the_cookie(client: FlaskClient, world: World) -> None:
    token = sign_in(client, world)
    headers = {"X-CSRF-Token": token, "Authorization": "Bearer umk_wrong"}
    assert client.get("/api/v1/checks", headers=headers).status_code == 401
