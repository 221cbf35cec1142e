from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from server.store.db import Database
from server.store.migrate import head, upgrade
from server.store.people import add_user
from tests import need
from tests.server.cli.conftest import Unmask
from tests.services.postgres import PostgresServer


def test_upgrade_from_empty_and_again(unmask: Unmask, tmp_path: Path) -> None:
    for _ in range(2):
        done = unmask("db", "upgrade")
        assert (done.exit_code, done.stdout) == (0, f"The database is at version {head()}.\n")
    assert (tmp_path / "data" / "unmask.db").exists()


def test_a_backup_holds_what_was_committed_while_others_write(unmask: Unmask, people: Database, tmp_path: Path) -> None:
    target = tmp_path / "copy.db"
    with people.write() as session:
        add_user(session, "uncommitted", None, "viewer")
        done = unmask("db", "backup", str(target))
    assert done.exit_code == 0, done.stderr
    assert done.stdout.startswith(f"{target}: ")
    with closing(sqlite3.connect(target)) as copy:
        assert copy.execute("SELECT name FROM users").fetchall() == [("admin",)]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["copy.db", "data"], "one file, complete in itself"


def test_a_backup_overwrites_nothing(unmask: Unmask, people: Database, tmp_path: Path) -> None:
    target = tmp_path / "copy.db"
    target.write_text("precious")
    done = unmask("db", "backup", str(target))
    assert done.exit_code == 2
    assert "exists already" in done.stderr
    assert target.read_text() == "precious"


def test_there_is_no_database_to_copy(unmask: Unmask, tmp_path: Path) -> None:
    done = unmask("db", "backup", str(tmp_path / "copy.db"))
    assert done.exit_code == 2
    assert "no database" in done.stderr
    assert list(tmp_path.iterdir()) == [], "and none is made by looking"


def test_there_is_no_folder_for_the_copy(unmask: Unmask, people: Database, tmp_path: Path) -> None:
    done = unmask("db", "backup", str(tmp_path / "missing" / "copy.db"))
    assert done.exit_code == 2
    assert str(tmp_path / "missing") in done.stderr


@pytest.mark.service
def test_a_postgresql_database_is_copied(
    unmask: Unmask, postgres: PostgresServer, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    with postgres.fresh_database() as url:
        upgrade(url)
        monkeypatch.setenv("UNMASK_DATABASE_URL", url)
        monkeypatch.setenv("PATH", str(Path(need.program("initdb", folders=("usr/lib/postgresql/*/bin",))).parent))
        target = tmp_path / "copy.dump"
        done = unmask("db", "backup", str(target))
        assert done.exit_code == 0, done.stderr
        assert target.read_bytes()[:5] == b"PGDMP"


def test_a_copy_that_failed_leaves_nothing_and_says_why(
    unmask: Unmask, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    program = tmp_path / "pg_dump"
    program.write_text(
        '#!/bin/sh\nfor word; do case $word in --file=*) echo half > "${word#--file=}";; esac; done\nexit 1\n'
    )
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    monkeypatch.setenv("UNMASK_DATABASE_URL", "postgresql+psycopg://ada:hunter2@nowhere.invalid/unmask")
    done = unmask("db", "backup", str(tmp_path / "copy.dump"))
    assert done.exit_code == 1
    assert "hunter2" not in done.output
    assert not (tmp_path / "copy.dump").exists()


def test_pg_dump_may_be_missing(unmask: Unmask, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("UNMASK_DATABASE_URL", "postgresql+psycopg://ada@nowhere.invalid/unmask")
    done = unmask("db", "backup", str(tmp_path / "copy.dump"))
    assert done.exit_code == 2
    assert "pg_dump is needed" in done.stderr
