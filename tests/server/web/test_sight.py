from __future__ import annotations

from flask import Flask

from server.store.tables import Media
from server.web.sight import may_see
from tests.server.web.conftest import World


def test_who_sees_what_a_person_brought(app: Flask, world: World) -> None:
    world.verdict(None, public=False)
    with world.database.read() as session:
        media_id = session.query(Media).one().id
        for headers, sees in ((world.bearer, False), (lambda: world.bearer("moderator"), True), (dict, False)):
            with app.test_request_context(headers=headers()):
                assert may_see(session, media_id, public=False) is sees
                assert may_see(session, media_id, public=True)
