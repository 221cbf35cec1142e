from __future__ import annotations

import io
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select

from server.settings import Settings
from server.store import verdicts
from server.store.db import Database
from server.store.tables import Check, CheckRequest, Media
from server.web.api.schemas import CheckBody, ChecksBody, VerdictBody
from tests.server.web.conftest import JPEG, PIPELINE, World, build, upload

PNG = b"\x89PNG\r\n\x1a\n" + b"\0" * 100
URL = "https://example.org/a.jpg"
Ask = Callable[..., Any]


@pytest.fixture
def ask(client: FlaskClient, world: World) -> Ask:
    mine = world.bearer()

    def post(headers: dict[str, str] | None = None, **sent: Any) -> Any:
        return client.post("/api/v1/checks", headers=mine | (headers or {}), **sent)

    return post


@pytest.fixture
def mine(world: World) -> dict[str, str]:
    return world.bearer()


def rows(world: World, table: type[Check] | type[CheckRequest]) -> int:
    with world.database.read() as session:
        return session.scalar(select(func.count()).select_from(table)) or 0


def row(world: World, check_id: str) -> Check:
    with world.database.read() as session:
        return session.get_one(Check, check_id)


def test_an_address_becomes_a_check(ask: Ask, world: World) -> None:
    answer = ask(json={"url": URL, "page_url": "https://example.org/", "priority": "bulk"})
    assert answer.status_code == 202
    body = CheckBody.model_validate(answer.json)
    assert answer.headers["Location"] == f"/api/v1/checks/{body.id}"
    assert (body.state, body.stage, body.progress, body.url) == ("queued", "queued", 0.0, URL)
    check = row(world, body.id)
    assert (check.source, check.page_url, check.priority, check.variant) == ("url", "https://example.org/", 5, "")


def test_the_same_address_by_many_makes_one_check(client: FlaskClient, world: World) -> None:
    ids = {
        client.post("/api/v1/checks", json={"url": url}, headers=world.bearer(name=f"person{n}")).json["id"]
        for n, url in enumerate([URL, URL, f"{URL}?utm_source=mail", f"{URL}#part"])
    }
    assert len(ids) == 1
    assert rows(world, CheckRequest) == 4


def test_everybody_sees_the_address_they_gave_themselves(client: FlaskClient, world: World) -> None:
    ann, bob = world.bearer(name="ann"), world.bearer(name="bob")
    for who, url in ((ann, f"{URL}?utm_source=ann-private"), (bob, f"{URL}?fbclid=bob")):
        body = client.post("/api/v1/checks", json={"url": url}, headers=who).json
        one = f"/api/v1/checks/{body['id']}"
        (listed,) = client.get("/api/v1/checks", headers=who).json["checks"]
        assert [shown["url"] for shown in (body, client.get(one, headers=who).json, listed)] == [url] * 3
    assert "ann-private" not in client.delete(one, headers=bob).text
    assert "ann-private" in client.get(one, headers=world.bearer("moderator")).text


def test_the_newest_of_ones_own_addresses_is_shown(ask: Ask) -> None:
    first, second = (ask(json={"url": url}).json for url in (f"{URL}#one", f"{URL}#two"))
    assert (first["id"], first["url"], second["url"]) == (second["id"], f"{URL}#one", f"{URL}#two")


def test_a_claim_is_shown_to_who_made_it_alone(client: FlaskClient, world: World) -> None:
    ann, bob = world.bearer(name="ann"), world.bearer(name="bob")
    claim = "https://elsewhere.example/x"
    body = client.post("/api/v1/checks", data=upload(claimed_url=claim), headers=ann).json
    assert (body["claimed_url"], body["url"]) == (claim, None)
    assert client.post("/api/v1/checks", data=upload(), headers=bob).json["claimed_url"] is None


def test_the_media_of_a_page_is_what_is_meant(ask: Ask, world: World) -> None:
    world.verdict(URL)
    answer = ask(json={"url": "https://example.org/page", "media_url": URL})
    assert answer.status_code == 200
    assert answer.json["media"]["sha256"] == "a" * 64


def test_a_known_address_is_answered_at_once(ask: Ask, world: World) -> None:
    known = world.verdict(URL)
    answer = ask(json={"url": URL})
    assert answer.status_code == 200
    verdict = VerdictBody.model_validate(answer.json)
    assert (verdict.id, verdict.cache, verdict.stale) == (known, "url", False)
    assert rows(world, Check) == 0


@pytest.mark.parametrize(
    ("known", "asked"),
    [
        ({"url_hours": -1}, {}),  # the address is to be asked again
        ({"days": -1}, {}),  # the verdict is old
        ({"pipeline": "p0"}, {}),  # another pipeline made it
        ({}, {"force": True}),
        ({}, {"sequence_length": 20}),  # another variant
        ({}, {"detectors": ["meso4"]}),
    ],
)
def test_what_is_not_fresh_is_checked_again_and_shown_meanwhile(
    ask: Ask, world: World, known: dict[str, Any], asked: dict[str, Any]
) -> None:
    world.verdict(URL, **known)
    answer = ask(json={"url": URL, **asked})
    assert answer.status_code == 202
    previous = answer.json["previous"]
    if "sequence_length" in asked or "detectors" in asked:
        assert previous is None
    else:
        assert previous["label"] == "manipulation_likely"
        assert previous["stale"] is True


def test_a_capture_does_not_answer_for_the_file(ask: Ask, world: World) -> None:
    first = ask(data=upload(acquisition="canvas")).json["id"]
    sha256 = row(world, first).sha256 or ""
    with world.database.write() as session:
        known = verdicts.get(session, world.verdict(None, sha256=sha256, public=False)).verdict
        known.body = {**known.body, "coverage": {**known.body["coverage"], "acquisition": "canvas"}}
    assert ask(data=upload()).status_code == 202
    assert ask(data=upload(acquisition="screenshot")).status_code == 200


def test_all_detectors_by_name_are_the_default(ask: Ask, world: World) -> None:
    world.verdict(URL)
    assert ask(json={"url": URL, "detectors": ["blend", "meso4"]}).status_code == 200


def test_a_file_becomes_a_check_and_lies_in_the_spool(ask: Ask, world: World) -> None:
    claim = "https://example.org/claimed.jpg"
    answer = ask(data=upload(sequence_length="20", detectors="meso4", claimed_url=claim, acquisition="canvas"))
    assert answer.status_code == 202
    check = row(world, answer.json["id"])
    assert (check.source, check.acquisition) == ("file", "canvas")
    assert check.options == {"sequence_length": 20, "detectors": ["meso4"]}
    assert check.spooled is not None
    assert (world.settings.spool / check.spooled).read_bytes() == JPEG
    assert answer.json["url"] is None
    with world.database.read() as session:
        assert session.scalar(select(CheckRequest.claimed_url)) == claim


def test_known_bytes_are_answered_at_once_and_not_kept(ask: Ask, world: World) -> None:
    import hashlib

    world.verdict(None, sha256=hashlib.sha256(JPEG).hexdigest(), public=False)
    answer = ask(data=upload())
    assert answer.status_code == 200
    assert VerdictBody.model_validate(answer.json).cache == "sha256"
    assert not list(world.settings.spool.glob("*"))


def test_bytes_that_another_check_waits_for_stay(ask: Ask, world: World) -> None:
    import hashlib

    first = ask(data=upload(sequence_length="20"))
    world.verdict(None, sha256=hashlib.sha256(JPEG).hexdigest())
    assert ask(data=upload()).status_code == 200
    assert (world.settings.spool / (row(world, first.json["id"]).spooled or "")).is_file()


def test_an_incomplete_cut_does_not_answer_by_hash(ask: Ask, world: World) -> None:
    import hashlib

    world.verdict(None, sha256=hashlib.sha256(JPEG).hexdigest())
    with world.database.write() as session:
        session.query(Media).update({"complete": False})
    assert ask(data=upload()).status_code == 202


def test_frames_with_times_become_a_check(ask: Ask, world: World) -> None:
    frames = [(io.BytesIO(JPEG), "1"), (io.BytesIO(PNG), "2")]
    for times in ("[0, 0.5]", "0,0.5"):
        frames = [(io.BytesIO(JPEG), "1"), (io.BytesIO(PNG), "2")]
        answer = ask(data={"frames": frames, "times": times, "acquisition": "canvas"})
        assert answer.status_code == 202, answer.json
    assert answer.json["source"] == "frames"
    assert rows(world, Check) == 1, "the same pictures at the same times are the same media"


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"frames": 2, "times": "[0]"}, "invalid_request"),
        ({"frames": 2, "times": "[1, 0]"}, "invalid_request"),
        ({"frames": 2, "times": "[0, nan]"}, "invalid_request"),
        ({"frames": 2, "times": "[0"}, "invalid_request"),
        ({"frames": 61, "times": "[]"}, "invalid_request"),
        ({"frames": 1, "times": "0", "file": True}, "invalid_request"),
        ({"file": True, "url": URL}, "invalid_request"),
        ({"file": True, "claimed_url": "nonsense"}, "not_a_url"),
        ({"file": True, "acquisition": "download"}, "invalid_request"),
        ({"file": True, "sequence_length": "11"}, "invalid_request"),
        ({"file": True, "force": "perhaps"}, "invalid_request"),
    ],
)
def test_a_form_that_does_not_add_up(ask: Ask, world: World, fields: dict[str, Any], code: str) -> None:
    data = dict(fields)
    if "frames" in data:
        data["frames"] = [(io.BytesIO(JPEG), str(n)) for n in range(data["frames"])]
    if "file" in data:
        data["file"] = (io.BytesIO(JPEG), "x")
    answer = ask(data=data)
    assert (answer.status_code, answer.json["error"]["code"]) == (400, code)
    assert not list(world.settings.spool.glob("*"))


def test_an_idempotency_key_makes_one_request(ask: Ask, world: World) -> None:
    key = {"Idempotency-Key": "abc-1"}
    first = ask(key, json={"url": URL})
    assert ask(key, json={"url": URL}).json["id"] == first.json["id"]
    assert (rows(world, Check), rows(world, CheckRequest)) == (1, 1)
    world.set_check(first.json["id"], state="complete", dedupe=None, verdict_id=world.verdict(URL))
    again = ask(key, json={"url": URL})
    assert (again.status_code, again.json["id"]) == (202, first.json["id"])
    assert again.json["verdict"]["label"] == "manipulation_likely"


@pytest.mark.parametrize("key", ["", "k" * 129, "tab\there"])
def test_a_bad_idempotency_key_is_refused(ask: Ask, key: str) -> None:
    assert ask({"Idempotency-Key": key}, json={"url": URL}).status_code == 400


def test_the_broker_is_told_of_new_checks_alone(settings: Settings, database: Database, world: World) -> None:
    told: list[str] = []
    client = build(settings, database, announce=told.append).test_client()
    headers = world.bearer()
    first = client.post("/api/v1/checks", json={"url": URL}, headers=headers).json["id"]
    client.post("/api/v1/checks", json={"url": URL}, headers=headers)
    world.verdict("https://example.org/b.jpg")
    client.post("/api/v1/checks", json={"url": "https://example.org/b.jpg"}, headers=headers)
    assert told == [first]


def test_following_a_check_until_its_verdict(ask: Ask, client: FlaskClient, world: World, mine: dict[str, str]) -> None:
    path = ask(json={"url": URL}).headers["Location"]
    first = client.get(path, headers=mine)
    assert CheckBody.model_validate(first.json).verdict is None
    etag = {"If-None-Match": first.headers["ETag"]}
    assert client.get(path, headers=mine | etag).status_code == 304
    world.set_check(first.json["id"], state="analyzing", progress=0.25)
    running = client.get(path, headers=mine | etag)
    assert (running.json["stage"], running.json["progress"]) == ("analyzing", 0.25)
    world.set_check(first.json["id"], state="complete", verdict_id=world.verdict(URL), cache="url")
    done = CheckBody.model_validate(client.get(path, headers=mine | etag).json)
    assert done.verdict is not None
    assert (done.progress, done.label, done.verdict.cache) == (1.0, "manipulation_likely", "url")


def test_a_failed_check_says_why(ask: Ask, client: FlaskClient, world: World, mine: dict[str, str]) -> None:
    path = ask(json={"url": URL}).headers["Location"]
    why = {"code": "dns_failed", "message": "No server of that name could be found.", "details": {}}
    world.set_check(path.rpartition("/")[2], state="failed", error=why, dedupe=None)
    body = client.get(path, headers=mine).json
    assert (body["state"], body["error"]) == ("failed", why)


def test_other_peoples_checks_do_not_exist(ask: Ask, client: FlaskClient, world: World) -> None:
    path = ask(json={"url": URL}).headers["Location"]
    stranger, moderator = world.bearer(name="sam"), world.bearer("moderator")
    lookup_only = world.bearer("moderator", "check", name="mo")  # a moderator's token that may not moderate
    for headers, status in ((stranger, 404), (lookup_only, 404), (moderator, 200)):
        assert client.get(path, headers=headers).status_code == status
        if status == 404:
            assert client.get(f"{path}/events", headers=headers).status_code == 404
    assert client.delete(path, headers=stranger).status_code == 404
    assert client.delete(path, headers=moderator).status_code == 404, "a moderator sees it, but made no request"


def test_the_last_one_out_cancels(ask: Ask, client: FlaskClient, world: World, mine: dict[str, str]) -> None:
    path = ask(json={"url": URL}).headers["Location"]
    other = world.bearer(name="sam")
    client.post("/api/v1/checks", json={"url": URL}, headers=other)
    assert client.delete(path, headers=mine).json["state"] == "queued"
    assert client.delete(path, headers=mine).status_code == 404
    assert client.delete(path, headers=other).json["state"] == "cancelled"


def test_my_checks_come_in_pages(ask: Ask, client: FlaskClient, world: World, mine: dict[str, str]) -> None:
    asked = [ask(json={"url": f"https://example.org/{n}.jpg"}).json["id"] for n in range(5)]
    client.post("/api/v1/checks", json={"url": URL}, headers=world.bearer(name="sam"))
    world.set_check(asked[0], state="complete", verdict_id=world.verdict(URL))
    seen, after = [], ""
    for _ in range(3):
        page = client.get(f"/api/v1/checks?limit=2{after}", headers=mine).json
        seen += ChecksBody.model_validate(page).checks
        after = f"&after={page['next']}"
    assert [check.id for check in seen] == asked[::-1]
    assert page["next"] is None
    assert (seen[-1].label, seen[-1].probability, seen[-1].verdict) == ("manipulation_likely", 0.91, None)
    assert client.get("/api/v1/checks?after=unknown", headers=mine).status_code == 404


def test_the_pipeline_in_use_is_asked_each_time(app: Flask) -> None:
    assert app.extensions["unmask"].pipeline() == PIPELINE


def test_many_at_the_same_moment_make_one_check(app: Flask, world: World) -> None:
    people = [world.bearer(name=f"person{n}") for n in range(8)]

    def post(headers: dict[str, str]) -> str:
        answer = app.test_client().post("/api/v1/checks", json={"url": URL}, headers=headers)
        assert answer.status_code == 202
        return str(answer.json["id"])

    with ThreadPoolExecutor(8) as pool:
        assert len(set(pool.map(post, people * 2))) == 1
    assert rows(world, Check) == 1


def test_a_locked_database_asks_to_come_back(
    settings: Settings, database: Database, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    headers = world.bearer()
    monkeypatch.setattr("server.store.db.BUSY_SECONDS", 0.05)
    impatient = Database(settings.database)
    client = build(settings, impatient).test_client()
    with database.write() as session:
        session.execute(select(1))  # the transaction begins with the first statement
        answer = client.post("/api/v1/checks", data=upload(), headers=headers)
        assert (answer.status_code, answer.json["error"]["code"]) == (503, "database_busy")
        assert answer.headers["Retry-After"] == "1"
        assert client.get("/api/v1/checks", headers=headers).status_code == 200, "reading goes on"
    impatient.close()
    assert not list(world.settings.spool.glob("*"))
