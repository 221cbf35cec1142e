from __future__ import annotations

import struct
from typing import Any

import pytest
from flask.testing import FlaskClient

from server.identity import keys
from server.verdict import LABELS
from server.web.api.schemas import BucketBody
from tests.server.web.conftest import World

URL = "https://example.org/a.jpg"


@pytest.fixture
def get(client: FlaskClient, world: World) -> Any:
    headers = world.bearer("viewer", "lookup")
    return lambda path, **more: client.get(f"/api/v1/verdicts/{path}", headers=headers | more)


def header(content: bytes) -> tuple[Any, ...]:
    return struct.unpack(">4sBBBBQ", content[:16])


def test_a_short_list_answers_by_itself(get: Any, world: World) -> None:
    world.verdict(URL)
    world.verdict("https://example.org/hidden.jpg", sha256="b" * 64, listed=False)
    answer = get("prefixes")
    assert answer.mimetype == "application/octet-stream"
    magic, version, bits, digits, flags, generation = header(answer.data)
    assert (magic, version, bits, digits, flags) == (b"UMKL", 1, 64, 1, 0)
    assert generation > 1_700_000_000_000
    entry = answer.data[16:]
    assert entry[:8] == keys(URL).canonical[:8]
    assert LABELS[entry[8]] == "manipulation_likely"
    assert len(entry) == 9 or len(entry) == 18


def test_what_is_held_is_not_sent_again(get: Any, world: World) -> None:
    world.verdict(URL)
    first = get("prefixes")
    again = get("prefixes", **{"If-None-Match": first.headers["ETag"]})
    assert (again.status_code, again.data) == (304, b"")
    assert "max-age" in again.headers["Cache-Control"]
    assert again.headers["ETag"] == first.headers["ETag"]
    world.verdict(URL, label="inconclusive")
    assert get("prefixes", **{"If-None-Match": first.headers["ETag"]}).status_code == 200


def test_a_delta_carries_the_new_label(get: Any, world: World) -> None:
    world.verdict(URL)
    generation = header(get("prefixes").data)[5]
    world.verdict(URL, label="inconclusive")
    delta = get(f"prefixes?since={generation}").data
    assert header(delta)[4] == 1
    assert delta[16:24] == keys(URL).canonical[:8]
    assert LABELS[delta[24]] == "inconclusive"


def test_nobody_is_recognised_by_it(get: Any, world: World) -> None:
    world.verdict(URL)
    for path in ("prefixes", "by-prefix/0"):
        answer = get(path)
        assert "Set-Cookie" not in answer.headers
        assert answer.headers["Cache-Control"] == "private, max-age=60"
        assert b"example.org" not in answer.data


def test_a_bucket_shows_endings_and_labels(get: Any, world: World) -> None:
    known = world.verdict(URL)
    key = keys(URL).canonical.hex()
    body = BucketBody.model_validate(get(f"by-prefix/{key[0].upper()}").json)
    assert body.prefix == key[0]
    assert [(entry.suffix, entry.label, entry.id) for entry in body.keys] == [(key[1:], "manipulation_likely", known)]
    empty = get(f"by-prefix/{'0' if key[0] != '0' else '1'}")
    assert empty.json["keys"] == []


def test_a_prefix_that_would_tell_the_page_is_refused(get: Any, world: World) -> None:
    world.verdict(URL)
    answer = get(f"by-prefix/{keys(URL).canonical.hex()[:8]}")
    assert answer.status_code == 400
    assert answer.json["error"]["details"] == {"bucket_digits": 1}
