from __future__ import annotations

from typing import Any

import pytest
from flask.testing import FlaskClient

from server.web.api.schemas import HistoryBody, LookupBody, VerdictBody
from tests.server.web.conftest import World

URL = "https://example.org/a.jpg"


@pytest.fixture
def get(client: FlaskClient, world: World) -> Any:
    headers = world.bearer("viewer", "lookup")
    return lambda path, **more: client.get(f"/api/v1/verdicts{path}", headers=headers | more)


def test_by_address_by_hash_and_by_id(get: Any, world: World) -> None:
    known = world.verdict(URL)
    by_url = get(f"?url={URL}")
    verdict = VerdictBody.model_validate(by_url.json)
    assert (verdict.id, verdict.cache, verdict.stale) == (known, "url", False)
    assert verdict.fetched_at is not None
    assert set(by_url.json) == set(VerdictBody.model_fields), "nothing is answered that is not described"
    assert get(f"/by-hash/{'A' * 64}").json["id"] == known
    assert get(f"/{known}").json["id"] == known


def test_another_spelling_of_the_address_is_the_same(get: Any, world: World) -> None:
    world.verdict(URL)
    assert get("?url=https://EXAMPLE.org:443/a.jpg%3Futm_source=x%23y").status_code == 200


def test_an_old_verdict_says_so(get: Any, world: World) -> None:
    world.verdict(URL, pipeline="p0")
    assert get(f"?url={URL}").json["stale"] is True


def test_the_same_answer_is_not_sent_twice(get: Any, world: World) -> None:
    world.verdict(URL)
    etag = get(f"?url={URL}").headers["ETag"]
    again = get(f"?url={URL}", **{"If-None-Match": etag})
    assert (again.status_code, again.data) == (304, b"")
    world.verdict(URL, label="inconclusive")
    assert get(f"?url={URL}", **{"If-None-Match": etag}).status_code == 200


def test_history_keeps_every_version(get: Any, world: World) -> None:
    first, second = world.verdict(URL), world.verdict(URL, label="inconclusive")
    for asked in (first, second):
        history = HistoryBody.model_validate(get(f"/{asked}/history").json)
        assert [version.id for version in history.versions] == [second, first]
        assert [version.current for version in history.versions] == [True, False]
    assert get(f"/{first}").json["label"] == "manipulation_likely", "a version never changes"


def test_a_claimed_address_answers_nothing(client: FlaskClient, get: Any, world: World) -> None:
    from tests.server.web.conftest import upload

    claim = "https://newspaper.example/photo.jpg"
    client.post("/api/v1/checks", data=upload(claimed_url=claim), headers=world.bearer())
    world.verdict(None, sha256="b" * 64, public=False)
    assert get(f"?url={claim}").status_code == 404


def test_many_addresses_in_their_order(client: FlaskClient, world: World) -> None:
    world.verdict(URL)
    world.verdict("https://example.org/b.jpg", sha256="b" * 64, label="inconclusive", pipeline="p0")
    urls: list[Any] = [
        "https://example.org/b.jpg",
        "https://unknown.example/",
        "no address",
        URL,
        7,
        None,
        URL,
        "\ud800",
    ]
    answer = client.post("/api/v1/verdicts/lookup", json={"urls": urls}, headers=world.bearer("viewer", "lookup"))
    found = LookupBody.model_validate(answer.json).verdicts
    assert [entry.label if entry else None for entry in found] == [
        "inconclusive", None, None, "manipulation_likely", None, None, "manipulation_likely", None,
    ]  # fmt: skip
    assert found[0] is not None
    assert found[3] is not None
    assert (found[0].stale, found[3].stale) == (True, False)
    assert set(answer.json["verdicts"][0]) == {"id", "label", "probability", "checked_at", "stale"}
    assert answer.json["verdicts"][3]["checked_at"].endswith("Z")


def test_two_hundred_and_no_more(client: FlaskClient, world: World) -> None:
    headers = world.bearer("viewer", "lookup")
    urls = [f"https://example.org/{n}" for n in range(200)]
    assert len(client.post("/api/v1/verdicts/lookup", json={"urls": urls}, headers=headers).json["verdicts"]) == 200
    too_many = client.post("/api/v1/verdicts/lookup", json={"urls": [*urls, URL]}, headers=headers)
    assert too_many.status_code == 400
