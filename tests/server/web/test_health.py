from __future__ import annotations

from pathlib import Path

import pytest
from flask.testing import FlaskClient

from server.settings import Settings
from server.store.db import Database
from tests.server.web.conftest import World, build

JSON = {"Accept": "application/json"}


def test_health_and_readiness(client: FlaskClient) -> None:
    assert client.get("/healthz").json == {"status": "ok"}
    assert client.get("/readyz").json == {"status": "ok"}


@pytest.mark.parametrize(
    ("address", "headers", "status"),
    [
        ("127.0.0.1", {}, 200),
        ("::1", {}, 200),
        ("203.0.113.9", {}, 403),
        ("127.0.0.1", {"X-Forwarded-For": "203.0.113.9"}, 403),  # a proxy on this machine speaks for somebody
        ("127.0.0.1", {"Sec-Fetch-Site": "cross-site"}, 403),  # so does a page in this machine's browser
        ("127.0.0.1", {"Sec-Fetch-Site": "same-site"}, 403),
    ],
)
def test_metrics_are_for_this_machine(client: FlaskClient, address: str, headers: dict[str, str], status: int) -> None:
    answer = client.get("/metrics", headers=JSON | headers, environ_base={"REMOTE_ADDR": address})
    assert answer.status_code == status


def test_metrics_elsewhere_need_an_administrator(client: FlaskClient, world: World) -> None:
    afar = {"REMOTE_ADDR": "203.0.113.9"}
    for role, scopes, status in (("admin", (), 200), ("moderator", (), 403), ("admin", ("lookup",), 403)):
        headers = JSON | world.bearer(role, *scopes)
        assert client.get("/metrics", headers=headers, environ_base=afar).status_code == status


def test_metrics_count_requests_checks_and_verdicts(client: FlaskClient, world: World) -> None:
    world.verdict()
    client.post("/api/v1/checks", json={"url": "http://b.example/"}, headers=world.bearer())
    text = client.get("/metrics").text
    assert 'unmask_checks{state="queued"} 1.0' in text
    assert 'unmask_verdicts{label="manipulation_likely"} 1.0' in text
    assert 'unmask_request_seconds_count{method="POST",rule="/api/v1/checks",status="202"} 1.0' in text
    assert "b.example" not in text


def test_a_state_that_ran_empty_is_nought(client: FlaskClient, world: World) -> None:
    check_id = client.post("/api/v1/checks", json={"url": "http://b.example/"}, headers=world.bearer()).json["id"]
    assert 'unmask_checks{state="queued"} 1.0' in client.get("/metrics").text
    world.set_check(check_id, state="failed")
    text = client.get("/metrics").text
    assert 'unmask_checks{state="queued"} 0.0' in text
    assert 'unmask_checks{state="failed"} 1.0' in text


def test_errors_are_counted_by_code(client: FlaskClient) -> None:
    client.get("/api/v1/models")
    assert 'unmask_errors_total{code="unauthorized"} 1.0' in client.get("/metrics").text


def test_a_made_up_method_makes_no_row_of_its_own(client: FlaskClient) -> None:
    client.open("/healthz", method="MADEUP")
    text = client.get("/metrics").text
    assert "MADEUP" not in text
    assert 'unmask_request_seconds_count{method="other"' in text


def test_not_ready_while_the_database_does_not_answer(tmp_path: Path, database: Database) -> None:
    settings = Settings(data_dir=tmp_path / "data", database_url="postgresql+psycopg://x@127.0.0.1:9/x")
    gone = Database(settings.database)
    answer = build(settings, gone).test_client().get("/readyz", headers=JSON)
    assert (answer.status_code, answer.json["error"]["code"]) == (503, "database_busy")
    gone.close()
