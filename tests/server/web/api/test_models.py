from __future__ import annotations

from flask.testing import FlaskClient

from tests.server.web.conftest import MEASURED, World


def test_the_detectors_are_listed(client: FlaskClient, world: World) -> None:
    answer = client.get("/api/v1/models", headers=world.bearer())
    assert answer.json["pipeline"] == "p1"
    assert [entry["name"] for entry in answer.json["detectors"]] == ["meso4", "blend", "sequence"]
    assert [entry["file"] for entry in answer.json["unimported"]] == ["model.pt"]
    assert answer.json["measured"] == MEASURED
