"""What a fetch is asked for: news of what is known whole, everything otherwise."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import update

from server.fetch.sources import Fetched
from server.settings import Settings
from server.store.db import Database
from server.store.tables import Location, Media
from server.worker import arrive
from tests.server.worker.test_record import SHA256, URL, Line

ANSWER = Fetched(Path("/none"), SHA256, 10, "image/jpeg", URL, '"new"', None, None, "direct", complete=True)


class StandInChild:
    answer = ANSWER

    def fetch(self, url: str, **asked: Any) -> Fetched:
        self.asked = asked
        return self.answer


@pytest.mark.parametrize(("whole", "validator"), [(True, '"etag"'), (False, None)])
def test_only_whole_media_is_asked_after(
    database: Database, settings: Settings, *, whole: bool, validator: str | None
) -> None:
    line, child = Line(database, settings), StandInChild()
    line.finish(line.fetched())
    with database.write() as session:
        session.execute(update(Media).values(complete=whole))
    check, lease, _ = line.fetched()
    arrived = arrive.bring(check, child, lease, line.tools)  # type: ignore[arg-type]
    assert child.asked["etag"] == validator
    assert (arrived.known is not None, arrived.address is not None) == (whole, True)


def test_a_validator_that_does_not_fit_its_column_is_left_out(database: Database, settings: Settings) -> None:
    line, child = Line(database, settings), StandInChild()
    child.answer = replace(ANSWER, etag="x" * 257, last_modified="y" * 64)
    check, lease, _ = line.fetched()
    found = arrive.bring(check, child, lease, line.tools).address  # type: ignore[arg-type]
    assert found is not None
    assert (found.etag, found.last_modified) == (None, "y" * 64)
    columns = Location.__table__.c
    assert (columns.etag.type.length, columns.last_modified.type.length) == (arrive.MOST_ETAG, arrive.MOST_DATE)
