"""Sessions that read and sessions that write, errors by name, times that keep their zone."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
from sqlalchemy import Engine, delete, event, func, select, text, update
from sqlalchemy.exc import IntegrityError, OperationalError, StatementError

from server.errors import DatabaseBusy, StorageFull
from server.store import db
from server.store.db import Database, iso
from server.store.tables import AuditEvent, CheckRequest, User

postgresql_only = pytest.mark.parametrize(
    "any_database", [pytest.param("postgresql", marks=pytest.mark.service)], indirect=True
)
MOMENT = datetime(2026, 11, 20, 12, 30, 15, 123456, tzinfo=UTC)


def note(action: str, at: datetime = MOMENT) -> AuditEvent:
    return AuditEvent(actor=None, action=action, at=at, subject=None, details={})


def write(database: Database, *rows: AuditEvent) -> None:
    with database.write() as session:
        for row in rows:
            session.add(row)
            session.flush()


def actions(database: Database) -> list[str]:
    with database.read() as session:
        return list(session.scalars(select(AuditEvent.action).order_by(AuditEvent.action)))


@pytest.mark.parametrize("zone", [UTC, timezone(timedelta(hours=5, minutes=30)), timezone(timedelta(hours=-11))])
def test_a_time_comes_back_as_it_was_in_utc(any_database: Database, zone: timezone) -> None:
    with any_database.write() as session:
        session.add(note("a", MOMENT.astimezone(zone)))
    with any_database.read() as session:
        at = session.scalars(select(AuditEvent.at)).one()
        newest = session.scalars(select(func.max(AuditEvent.at))).one()
        assert session.scalar(select(AuditEvent.action).where(AuditEvent.at == MOMENT.astimezone(zone))) == "a"
    assert (at, at.utcoffset()) == (MOMENT, timedelta(0))
    assert (newest, newest.utcoffset()) == (MOMENT, timedelta(0))


def test_a_time_without_a_zone_is_refused(any_database: Database) -> None:
    with pytest.raises(StatementError, match="without a zone"):
        write(any_database, note("a", MOMENT.replace(tzinfo=None)))
    assert actions(any_database) == []


def test_no_time_is_no_time(any_database: Database) -> None:
    with any_database.write() as session:
        session.execute(update(CheckRequest).values(withdrawn_at=None))
    assert db.UtcDateTime().process_bind_param(None, any_database.engine.dialect) is None
    assert db.UtcDateTime().process_result_value(None, any_database.engine.dialect) is None


@pytest.mark.parametrize(
    ("moment", "shown"),
    [
        (None, None),
        (MOMENT, "2026-11-20T12:30:15.123Z"),
        (MOMENT.replace(microsecond=0), "2026-11-20T12:30:15.000Z"),
        (MOMENT.astimezone(timezone(timedelta(hours=2))), "2026-11-20T12:30:15.123Z"),
    ],
)
def test_iso(moment: datetime | None, shown: str | None) -> None:
    assert iso(moment) == shown


def test_write_commits_at_the_end(any_database: Database) -> None:
    with any_database.write() as session:
        session.add(note("a"))
    assert actions(any_database) == ["a"]


def test_nothing_is_committed_after_an_exception(any_database: Database) -> None:
    def work() -> None:
        with any_database.write() as session:
            session.add(note("a"))
            session.flush()
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        work()
    assert actions(any_database) == []


def test_rows_can_be_read_after_the_session(any_database: Database) -> None:
    with any_database.write() as session:
        session.add(note("a"))
    with any_database.read() as session:
        row = session.scalars(select(AuditEvent)).one()
    assert row.action == "a"


def test_a_reference_to_nothing_is_refused(any_database: Database) -> None:
    with pytest.raises(IntegrityError), any_database.write() as session:
        session.add(CheckRequest(check_id="none", user_id="nobody"))


def test_deleting_takes_what_depends_on_it(any_database: Database) -> None:
    from server.store.people import add_user, create_token

    with any_database.write() as session:
        add_user(session, "ada", None, "viewer")
        create_token(session, "ada", name="t", role="viewer", scopes=["lookup"])
    with any_database.write() as session:
        session.execute(delete(User))
    with any_database.read() as session:
        assert session.scalar(text("SELECT count(*) FROM tokens")) == 0


def test_a_reader_sees_one_moment_while_others_write(database: Database) -> None:
    with database.read() as reading:
        assert reading.scalar(select(func.count()).select_from(AuditEvent)) == 0
        with database.write() as writing:
            writing.add(note("a"))
        assert reading.scalar(select(func.count()).select_from(AuditEvent)) == 0
    assert actions(database) == ["a"]


def test_two_writers_wait_for_each_other(database: Database) -> None:
    """Each reads and then writes what it read plus one: without the wait one of the steps would be lost."""
    with database.write() as session:
        session.add(User(id="u", name="0", password_hash="", role="viewer"))

    def count(_: int) -> None:
        with database.write() as session:
            before = int(session.scalars(select(User.name)).one())
            session.execute(update(User).values(name=str(before + 1)))

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(count, range(40)))
    with database.read() as session:
        assert session.scalars(select(User.name)).one() == "40"


@pytest.fixture
def hasty(database: Database, monkeypatch: pytest.MonkeyPatch) -> Database:
    """The same database through connections that wait for a lock no longer than an instant."""
    monkeypatch.setattr(db, "BUSY_SECONDS", 0.01)
    return Database(database.engine.url.render_as_string(hide_password=False))


def test_a_lock_that_is_not_let_go_is_named(database: Database, hasty: Database) -> None:
    with database.write() as session:
        session.add(note("a"))
        session.flush()
        with pytest.raises(DatabaseBusy) as busy, hasty.write() as other:
            other.add(note("b"))
        assert busy.value.retry_after == 1
        assert actions(hasty) == [], "reading goes on meanwhile"
    with hasty.write() as other:
        other.add(note("c"))
    assert actions(database) == ["a", "c"]
    assert hasty.engine.pool.checkedout() == 0  # type: ignore[attr-defined]
    hasty.close()


@postgresql_only
def test_a_lock_on_postgresql_is_named_too(any_database: Database) -> None:
    with any_database.write() as session:
        session.add(User(id="u", name="ada", password_hash="", role="viewer"))
    with any_database.write() as session:
        session.execute(update(User).values(role="admin"))
        with pytest.raises(DatabaseBusy):
            _impatiently(any_database)


def _impatiently(database: Database) -> None:
    with database.write() as session:
        session.execute(text("SET LOCAL lock_timeout = '10ms'"))
        session.execute(update(User).values(role="manager"))


@postgresql_only
def test_a_deadlock_on_postgresql_is_named(any_database: Database) -> None:
    with any_database.write() as session:
        session.add_all(User(id=name, name=name, password_hash="", role="viewer") for name in "ab")
    both_hold_one = threading.Barrier(2)

    def cross(first: str, second: str) -> str:
        try:
            with any_database.write() as session:
                session.execute(text("SET LOCAL deadlock_timeout = '20ms'"))
                session.execute(update(User).where(User.id == first).values(role="admin"))
                both_hold_one.wait(5)
                session.execute(update(User).where(User.id == second).values(role="admin"))
        except DatabaseBusy as error:
            return error.code
        return "done"

    with ThreadPoolExecutor(2) as pool:
        ended = sorted(pool.map(cross, "ab", "ba"))
    assert ended == ["database_busy", "done"]


@postgresql_only
def test_a_server_that_ends_in_the_middle_is_named_and_the_next_session_works(any_database: Database) -> None:
    with pytest.raises(DatabaseBusy):
        _interrupted(any_database)
    assert actions(any_database) == []


def _interrupted(database: Database) -> None:
    with database.write() as session:
        mine = session.scalar(text("SELECT pg_backend_pid()"))
        with database.read() as other:
            other.execute(text("SELECT pg_terminate_backend(:mine, 5000)"), {"mine": mine})
        session.execute(text("SELECT 1"))


def test_a_server_that_is_not_there_is_named() -> None:
    with pytest.raises(DatabaseBusy), Database("postgresql+psycopg://x@127.0.0.1:9/x").read() as session:
        session.execute(text("SELECT 1"))


def test_errors_do_not_quote_what_was_stored(any_database: Database) -> None:
    with pytest.raises(IntegrityError) as raised, any_database.write() as session:
        session.add_all(User(id=name, name="ada", password_hash="secret hash", role="viewer") for name in "ab")
    assert "secret hash" not in str(raised.value)


def test_a_full_disk_is_named_and_nothing_is_stored(database: Database) -> None:
    _limit_pages(database.engine)
    with pytest.raises(StorageFull):
        write(database, note("small"), *(AuditEvent(action="big", details={"text": "x" * 50_000}) for _ in range(20)))
    assert actions(database) == []
    with database.write() as session:
        session.add(note("a"))
    assert actions(database) == ["a"]


def _limit_pages(engine: Engine) -> None:
    """As if the disk ended a few pages after what is there."""

    @event.listens_for(engine, "checkout")
    def limit(connection: object, *_: object) -> None:
        execute: Callable[[str], object] = connection.execute  # type: ignore[attr-defined]
        (pages,) = execute("PRAGMA page_count").fetchone()  # type: ignore[attr-defined]
        execute(f"PRAGMA max_page_count = {pages + 5}")


def test_other_errors_stay_what_they_are(any_database: Database) -> None:
    with pytest.raises(Exception, match="no_such_table") as raised, any_database.read() as session:
        session.execute(text("SELECT 1 FROM no_such_table"))
    assert type(raised.value).__module__ == "sqlalchemy.exc"


def test_a_database_that_cannot_be_opened_is_not_called_busy(tmp_path: Path) -> None:
    (tmp_path / "unmask.db").mkdir()
    database = Database(f"sqlite:///{tmp_path / 'unmask.db'}")
    with pytest.raises(OperationalError), database.read() as session:
        session.execute(text("SELECT 1"))
    database.close()


def test_sqlite_is_durable_and_keeps_its_references(database: Database) -> None:
    with database.read() as session:
        names = ("journal_mode", "synchronous", "foreign_keys")
        pragmas = {name: session.scalar(text(f"PRAGMA {name}")) for name in names}
    assert pragmas == {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1}


def test_a_missing_folder_is_made(tmp_path: Path) -> None:
    Database(f"sqlite:///{tmp_path}/deep/er/unmask.db").close()
    assert (tmp_path / "deep" / "er").is_dir()
