"""Uploads stay while their check waits, and no longer."""

from __future__ import annotations

import os
import time

import pytest
from sqlalchemy import update

from server import spool
from server.settings import Settings
from server.store import checks
from server.store.db import Database
from server.store.people import add_user
from server.store.tables import Check


@pytest.fixture
def upload(settings: Settings, database: Database) -> str:
    """The file of a queued check."""
    settings.spool.mkdir()
    (settings.spool / "a.jpg").write_bytes(b"bytes")
    with database.write() as session:
        user = add_user(session, "ada", None, "viewer")
        wish = checks.Wish(source="file", acquisition="upload", sha256="0" * 64, spooled="a.jpg")
        checks.submit(session, wish, user.id, queue_limit=10)
    return "a.jpg"


def end(database: Database, state: str) -> None:
    with database.write() as session:
        session.execute(update(Check).values(state=state))


@pytest.mark.parametrize("state", ["queued", "fetching", "decoding", "analyzing"])
def test_a_run_that_comes_again_finds_its_upload(
    settings: Settings, database: Database, upload: str, state: str
) -> None:
    end(database, state)
    assert not spool.release(settings, database, upload)
    assert (settings.spool / upload).exists()


@pytest.mark.parametrize("state", ["complete", "failed", "cancelled"])
def test_an_upload_goes_with_its_check(settings: Settings, database: Database, upload: str, state: str) -> None:
    end(database, state)
    assert spool.release(settings, database, upload)
    assert not (settings.spool / upload).exists()
    assert spool.release(settings, database, upload), "releasing twice does nothing"


def test_the_sweep_takes_only_what_is_old_and_nobodys(settings: Settings, database: Database, upload: str) -> None:
    old = time.time() - 100
    for name in ("stray.jpg", "fresh.jpg", upload):
        (settings.spool / name).write_bytes(b"bytes")
    for name in ("stray.jpg", upload):
        os.utime(settings.spool / name, (old, old))
    (settings.spool / "child-folder").mkdir()
    assert spool.sweep(settings, database, older_than=50) == 1
    assert sorted(path.name for path in settings.spool.iterdir()) == ["a.jpg", "child-folder", "fresh.jpg"]
