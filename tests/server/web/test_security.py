from __future__ import annotations

import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient

from server.settings import Settings
from server.store.db import Database
from server.store.evidence import EvidenceStore
from server.web.security import allowed_hosts, host_name, secret_key
from tests.server.web.conftest import Clock, World, build


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("localhost", 200),
        ("localhost:8000", 200),
        ("LOCALHOST:8000", 200),
        ("127.0.0.1:8000", 200),
        ("[::1]:8000", 200),
        ("evil.example", 400),
        ("evil.example:8000", 400),
        ("localhost.evil.example", 400),
        ("127.0.0.1.evil.example:8000", 400),
        ("", 400),
    ],
)
def test_only_our_own_names_are_answered_to(client: FlaskClient, host: str, status: int) -> None:
    answer = client.get("/healthz", headers={"Host": host, "Accept": "application/json"})
    assert answer.status_code == status
    if status == 400:
        assert answer.json["error"]["code"] == "bad_host"


def test_an_unknown_host_reaches_nothing(client: FlaskClient, world: World) -> None:
    """DNS rebinding: the browser believes that evil.example is here, and sends what it holds for that name."""
    headers = world.bearer("admin") | {"Host": "evil.example:8000"}
    assert client.get("/api/v1/models", headers=headers).status_code == 400
    assert client.options("/api/v1/models", headers={"Host": "evil.example"}).status_code == 400


def test_hosts_come_from_the_settings() -> None:
    settings = Settings(host="::", hosts="a.example, B.example", public_url="https://unmask.example:8443/")
    assert allowed_hosts(settings) == {"a.example", "b.example", "[::]", "unmask.example"}
    assert host_name("[::1]") == "[::1]"
    assert host_name("a.example:80") == "a.example"


def test_another_origin_may_send_a_token_and_nothing_that_makes_a_cookie_count(client: FlaskClient) -> None:
    asked = {"Origin": "https://evil.example", "Access-Control-Request-Method": "POST"}
    answer = client.options("/api/v1/checks", headers=asked)
    assert answer.status_code == 204
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    assert "Access-Control-Allow-Credentials" not in answer.headers
    allowed = answer.headers["Access-Control-Allow-Headers"].lower()
    assert {"authorization", "content-type", "if-none-match"} <= set(allowed.split(", "))
    assert "csrf" not in allowed
    assert "cookie" not in allowed


def test_answers_of_the_api_are_readable_with_a_token_from_anywhere(client: FlaskClient, world: World) -> None:
    answer = client.get("/api/v1/models", headers=world.bearer() | {"Origin": "https://a.example"})
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    assert answer.headers["Access-Control-Expose-Headers"] == "ETag, Retry-After, X-Request-Id"
    assert "Access-Control-Allow-Credentials" not in answer.headers
    assert "Set-Cookie" not in answer.headers


@pytest.mark.parametrize("path", ["/", "/login", "/healthz", "/metrics", "/static/api.js", "/api/docs"])
def test_pages_are_readable_from_nowhere_else(client: FlaskClient, world: World, path: str) -> None:
    with client.get(path, headers=world.bearer() | {"Origin": "https://a.example"}) as answer:
        assert "Access-Control-Allow-Origin" not in answer.headers
    assert answer.headers["X-Frame-Options"] == "DENY"
    assert answer.headers["Cross-Origin-Resource-Policy"] == "same-origin"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"


def test_pages_run_only_our_own_files(client: FlaskClient, world: World) -> None:
    for path in ("/", "/login", "/account", "/api/docs"):
        answer = client.get(path, headers=world.bearer())
        policy = answer.headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert "style=" not in answer.text
        assert "<style" not in answer.text
        assert " onclick=" not in answer.text
        assert "https://" not in answer.text.replace('placeholder="https://"', "").replace("https://example.org", "")


def test_cookies_are_out_of_reach_of_scripts(settings: Settings, database: Database) -> None:
    cookie = build(settings, database).test_client().get("/login").headers["Set-Cookie"]
    assert cookie.startswith("unmask_8000=")
    assert "HttpOnly" in cookie
    assert "SameSite=Strict" in cookie
    assert "Secure" not in cookie
    https = settings.model_copy(update={"public_url": "https://localhost"})
    cookie = build(https, database).test_client().get("/login").headers["Set-Cookie"]
    assert cookie.startswith("__Host-unmask=")
    assert "Secure" in cookie


def test_the_key_is_made_once_and_is_the_owners_alone(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        keys = set(pool.map(lambda _: secret_key(tmp_path / "data"), range(32)))
    assert len(keys) == 1
    assert len(keys.pop()) == 32
    assert stat.S_IMODE((tmp_path / "data" / "web.key").stat().st_mode) == 0o600
    assert [path.name for path in (tmp_path / "data").iterdir()] == ["web.key"]


def test_behind_a_proxy_the_address_of_the_person_counts(settings: Settings, database: Database) -> None:
    proxied = build(settings.model_copy(update={"proxies": 1}), database).test_client()
    from_afar = {"X-Forwarded-For": "203.0.113.9", "Accept": "application/json"}
    assert proxied.get("/metrics", headers=from_afar).status_code == 403


def test_the_log_holds_no_addresses_and_no_secrets(
    app: Flask, world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    secret = world.token()
    client = app.test_client()
    client.get("/api/v1/verdicts?url=https://private.example/page", headers={"Authorization": f"Bearer {secret}"})
    client.get("/login/link/one-time-secret")
    logged = capsys.readouterr().out
    assert "/api/v1/verdicts" in logged
    for hidden in ("private.example", secret, "one-time-secret"):
        assert hidden not in logged


@pytest.mark.parametrize(
    "path", ["/api/v1/checks/%00", "/api/v1/verdicts/a%00", "/api/v1/verdicts/%00/history", "/api/v1/checks?after=%00"]
)
def test_what_no_database_holds_is_a_bad_request(
    settings: Settings, clock: Clock, any_database: Database, path: str
) -> None:
    world = World(settings, any_database, EvidenceStore(settings.evidence), clock)
    answer = build(settings, any_database, clock).test_client().get(path, headers=world.bearer())
    assert (answer.status_code, answer.json["error"]["code"]) == (400, "invalid_request")


def test_nor_is_anybody_called_so(settings: Settings, clock: Clock, any_database: Database) -> None:
    app = build(settings, any_database, clock)
    app.config["WTF_CSRF_ENABLED"] = False
    answer = app.test_client().post("/login", data={"name": "a\0b", "password": "x"})
    assert answer.status_code == 401
