from __future__ import annotations

import os
import time
from datetime import timedelta
from functools import partial

from sqlalchemy import func, select, update

from server import spool
from server.settings import Settings
from server.store import people
from server.store.db import Database, epoch_now, utc_now
from server.store.tables import Check, LoginSession
from server.worker.media import FOLDER_PREFIX
from server.worker.reconcile import LEFT_SECONDS, Reconciler, reconcile, sweep
from tests.server.worker.toys import row, submit, until


def test_only_expired_leases_are_put_back(settings: Settings, database: Database) -> None:
    expired = submit(database, state="decoding", owner="me:1:a", attempt=1)
    held = submit(database, state="decoding", owner="me:2:a", attempt=1)
    with database.write() as session:
        session.execute(update(Check).where(Check.id == held).values(lease_until=epoch_now() + 60))
    assert list(reconcile(settings, database).queued) == [expired]
    assert (row(database, expired).state, row(database, held).state) == ("queued", "decoding")
    assert not reconcile(settings, database)


def test_it_looks_again_and_again(settings: Settings, database: Database) -> None:
    made = Reconciler(settings, database, every=0.02)
    made.start()
    for _ in range(2):
        check_id = submit(database, state="fetching", owner="me:1:a", attempt=1)
        until(partial(_queued, database, check_id))
    made.stop()
    made.join(5)
    assert not made.is_alive()


def _queued(database: Database, check_id: str) -> bool:
    return row(database, check_id).state == "queued"


def test_old_uploads_go_unless_a_check_waits(settings: Settings, database: Database) -> None:
    settings.spool.mkdir()
    old = time.time() - 100
    for name in ("waited-for", "old", "fresh"):
        (settings.spool / name).write_bytes(b"x")
        if name != "fresh":
            os.utime(settings.spool / name, (old, old))
    submit(database, spooled="waited-for")
    submit(database, "https://example.org/b", spooled="old", state="failed")
    assert spool.sweep(settings, database, older_than=60) == 1
    assert sorted(path.name for path in settings.spool.iterdir()) == ["fresh", "waited-for"]


def test_what_is_over_is_swept(settings: Settings, database: Database) -> None:
    settings.spool.mkdir()
    past = time.time() - LEFT_SECONDS - 60
    for name in ("upload.jpg", "kept.jpg"):
        (settings.spool / name).write_bytes(b"x")
    for name in (f"{FOLDER_PREFIX}killed", f"{FOLDER_PREFIX}running"):
        (settings.spool / name).mkdir()
    for name in ("upload.jpg", f"{FOLDER_PREFIX}killed"):
        os.utime(settings.spool / name, (past, past))
    with database.write() as session:
        user = people.add_user(session, "vera", None, "viewer")
        people.open_session(session, user, 1.0, utc_now() - timedelta(hours=2))
        people.open_session(session, user, 1.0)
    sweep(settings, database)
    assert sorted(path.name for path in settings.spool.iterdir()) == [f"{FOLDER_PREFIX}running", "kept.jpg"]
    with database.read() as session:
        assert session.scalar(select(func.count()).select_from(LoginSession)) == 1
