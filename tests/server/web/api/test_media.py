from __future__ import annotations

import hashlib
from typing import Any

from flask.testing import FlaskClient

from server.store import hashes
from server.store.tables import Media
from server.web.api.schemas import SimilarBody
from tests.server.web.conftest import JPEG, World, upload

BITS = bytes(range(32))


def hashed(world: World, sha256: str) -> None:
    with world.database.write() as session:
        media = session.query(Media).filter_by(sha256=sha256).one()
        hashes.keep(session, media.id, hashes.Looked(((0.0, BITS),), ()))


def similar(client: FlaskClient, sha256: str, headers: dict[str, str]) -> Any:
    answer = client.get(f"/api/v1/media/{sha256}/similar", headers=headers)
    assert answer.status_code == 200
    return SimilarBody.model_validate(answer.json).similar


def test_two_that_look_alike_lead_to_each_other(client: FlaskClient, world: World) -> None:
    for letter in "ab":
        world.verdict(f"https://example.org/{letter}.jpg", sha256=letter * 64)
        hashed(world, letter * 64)
    (found,) = similar(client, "A" * 64, world.bearer("viewer", "lookup"))
    assert (found.sha256, found.label, found.distance, found.share) == ("b" * 64, "manipulation_likely", 0, 1.0)
    (back,) = similar(client, "b" * 64, world.bearer())
    assert back.sha256 == "a" * 64


def test_an_upload_is_told_of_to_its_sender_and_moderators_alone(client: FlaskClient, world: World) -> None:
    world.verdict(sha256="a" * 64)
    hashed(world, "a" * 64)
    sender = world.bearer(name="sender")
    check = client.post("/api/v1/checks", data=upload(), headers=sender).json["id"]
    sha256 = hashlib.sha256(JPEG).hexdigest()
    verdict = world.verdict(None, sha256=sha256, public=False, check_id=check)
    world.set_check(check, state="complete", dedupe=None, verdict_id=verdict)
    hashed(world, sha256)
    assert similar(client, "a" * 64, world.bearer(name="stranger")) == []
    assert [one.sha256 for one in similar(client, "a" * 64, sender)] == [sha256]
    assert [one.sha256 for one in similar(client, "a" * 64, world.bearer("moderator"))] == [sha256]


def test_what_is_not_known_looks_like_nothing(client: FlaskClient, world: World) -> None:
    assert client.get(f"/api/v1/media/{'c' * 64}/similar", headers=world.bearer()).status_code == 404
