"""From empty and from every earlier revision to the newest schema, keeping what is stored."""

from __future__ import annotations

import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import func, inspect, select

from server.errors import DatabaseBusy
from server.store import db
from server.store.db import Database
from server.store.migrate import config, head, upgrade
from server.store.people import add_user, create_token
from server.store.tables import Base, Token, User
from tests.need import REPOSITORY
from tests.services.postgres import PostgresServer

SCRIPTS = ScriptDirectory.from_config(config("sqlite://"))
REVISIONS = [script.revision for script in reversed(list(SCRIPTS.walk_revisions()))]

# What SQLite needs for most changes of a table: a copy takes its place, and the table itself is dropped.
RECREATE_USERS = """
from alembic import op

revision, down_revision, branch_labels, depends_on = "test", "{head}", None, None


def upgrade() -> None:
    with op.batch_alter_table("users", recreate="always") as batch:
        batch.alter_column("role", nullable=True)
"""


def url_of(folder: Path) -> str:
    return f"sqlite:///{folder / 'unmask.db'}"


def is_newest(url: str) -> bool:
    with closing(Database(url)) as database, database.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, Base.metadata) == []
        return context.get_current_revision() == head()


def test_from_empty(tmp_path: Path) -> None:
    upgrade(url_of(tmp_path))
    assert is_newest(url_of(tmp_path))


@pytest.mark.parametrize("revision", REVISIONS)
def test_from_every_revision(tmp_path: Path, revision: str) -> None:
    upgrade(url_of(tmp_path), revision)
    with closing(Database(url_of(tmp_path))) as database, database.engine.connect() as connection:
        assert MigrationContext.configure(connection).get_current_revision() == revision
        assert inspect(connection).get_table_names() != ["alembic_version"], "each revision makes or keeps tables"
    upgrade(url_of(tmp_path))
    assert is_newest(url_of(tmp_path))


def test_revisions_are_one_line() -> None:
    assert SCRIPTS.get_heads() == [head()]
    assert [script.down_revision for script in SCRIPTS.walk_revisions()] == [*REVISIONS[-2::-1], None]


def test_twice_changes_nothing(tmp_path: Path) -> None:
    upgrade(url_of(tmp_path))
    with closing(Database(url_of(tmp_path))) as database:
        with database.write() as session:
            add_user(session, "ada", None, "viewer")
        upgrade(url_of(tmp_path))
        with database.read() as session:
            assert session.scalar(select(func.count()).select_from(User)) == 1


def test_a_table_that_is_made_anew_keeps_the_rows_that_depend_on_it(tmp_path: Path) -> None:
    """With foreign keys on, dropping the old table would delete every token with its user."""
    upgrade(url_of(tmp_path))
    with closing(Database(url_of(tmp_path))) as database:
        with database.write() as session:
            add_user(session, "ada", None, "viewer")
            create_token(session, "ada", name="t", role="viewer", scopes=["lookup"])
        (tmp_path / "test.py").write_text(RECREATE_USERS.format(head=head()))
        longer = config(url_of(tmp_path))
        longer.set_main_option("version_locations", f"{REPOSITORY}/migrations/versions {tmp_path}")
        longer.set_main_option("path_separator", "space")
        command.upgrade(longer, "test")
        with database.read() as session:
            assert session.scalar(select(func.count()).select_from(User)) == 1
            assert session.scalar(select(func.count()).select_from(Token)) == 1


def test_a_migration_that_fails_changes_nothing(tmp_path: Path) -> None:
    failing = RECREATE_USERS.format(head=head()) + "    op.drop_table('tokens')\n    raise ZeroDivisionError\n"
    (tmp_path / "test.py").write_text(failing)
    upgrade(url_of(tmp_path))
    longer = config(url_of(tmp_path))
    longer.set_main_option("version_locations", f"{REPOSITORY}/migrations/versions {tmp_path}")
    longer.set_main_option("path_separator", "space")
    with pytest.raises(ZeroDivisionError):
        command.upgrade(longer, "test")
    assert is_newest(url_of(tmp_path))


def test_a_database_that_is_locked_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(db, "BUSY_SECONDS", 0.01)
    upgrade(url_of(tmp_path))
    with closing(Database(url_of(tmp_path))) as database, database.write() as session:
        add_user(session, "ada", None, "viewer")
        with pytest.raises(DatabaseBusy):
            upgrade(url_of(tmp_path))


def test_a_password_may_hold_a_percent_sign() -> None:
    assert config("postgresql+psycopg://u:p%25@h/d").attributes["url"] == "postgresql+psycopg://u:p%25@h/d"


def _at_once(url: str) -> list[int]:
    code = "import sys; from server.store.migrate import upgrade; sys.stdin.read(); upgrade(sys.argv[1])"
    started = [
        subprocess.Popen([sys.executable, "-c", code, url], cwd=REPOSITORY, stdin=subprocess.PIPE) for _ in range(2)
    ]
    for process in started:
        assert process.stdin is not None
        process.stdin.close()  # all are to begin together
    return [process.wait(60) for process in started]


def test_processes_that_start_together_all_succeed(tmp_path: Path) -> None:
    assert _at_once(url_of(tmp_path)) == [0, 0]
    assert is_newest(url_of(tmp_path))


@pytest.mark.service
def test_processes_that_start_together_all_succeed_on_postgresql(postgres: PostgresServer) -> None:
    with postgres.fresh_database() as url:
        assert _at_once(url) == [0, 0]
        assert is_newest(url)
