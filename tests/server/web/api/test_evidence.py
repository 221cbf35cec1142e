from __future__ import annotations

import hashlib

from flask.testing import FlaskClient

from tests.server.web.conftest import JPEG, World, upload


def test_a_public_picture(client: FlaskClient, world: World) -> None:
    path = world.picture(world.verdict())
    answer = client.get(path, headers=world.bearer())
    assert (answer.status_code, answer.data, answer.mimetype) == (200, JPEG, "image/jpeg")
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Content-Security-Policy"].startswith("sandbox;")
    assert answer.headers["Cache-Control"] == "private, max-age=31536000, immutable"
    assert client.get(path).status_code == 401


def test_pictures_of_an_upload_are_its_senders_and_moderators(client: FlaskClient, world: World) -> None:
    sender, stranger = world.bearer(name="sender"), world.bearer(name="stranger")
    check = client.post("/api/v1/checks", data=upload(), headers=sender).json["id"]
    sha256 = hashlib.sha256(JPEG).hexdigest()
    verdict = world.verdict(None, sha256=sha256, public=False, check_id=check)
    world.set_check(check, state="complete", dedupe=None, verdict_id=verdict)
    path = world.picture(verdict)
    assert client.get(path, headers=sender).status_code == 200
    assert client.get(path, headers=world.bearer("moderator")).status_code == 200
    hidden = client.get(path, headers=stranger)
    unknown = client.get("/api/v1/evidence/" + "0" * 32, headers=stranger)
    assert hidden.status_code == unknown.status_code == 404
    assert hidden.json["error"]["message"] == unknown.json["error"]["message"]
    # Who brings the same bytes has them: their pictures are no secret to that person.
    assert client.post("/api/v1/checks", data=upload(), headers=stranger).status_code == 200
    assert client.get(path, headers=stranger).status_code == 200


def test_a_picture_that_is_gone_is_not_an_error_of_ours(client: FlaskClient, world: World) -> None:
    path = world.picture(world.verdict())
    world.evidence.delete(path.rpartition("/")[2])
    assert client.get(path, headers=world.bearer()).status_code == 404
