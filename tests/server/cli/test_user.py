from __future__ import annotations

import pytest
from sqlalchemy import select

from server.cli.database import writing
from server.store import people as store
from server.store.db import Database
from server.store.tables import AuditEvent
from tests.server.cli.conftest import Unmask


def test_a_person_is_added_with_a_password_that_works(unmask: Unmask) -> None:
    done = unmask("user", "add", "ada", "--role", "moderator")
    assert (done.exit_code, done.stderr) == (0, "")
    (password,) = done.stdout.splitlines()
    with writing() as session:
        found = store.check_password(session, "ada", password)
        assert found is not None
        assert found.role == "moderator"


def test_people_are_listed(unmask: Unmask, people: Database) -> None:
    unmask("user", "add", "ada")
    rows = [line.split("\t") for line in unmask("user", "list").stdout.splitlines()]
    assert [row[:3] for row in rows] == [["ada", "viewer", "active"], ["admin", "admin", "active"]]
    assert all(row[3].endswith("Z") for row in rows)


def test_a_role_is_changed(unmask: Unmask, people: Database) -> None:
    unmask("user", "add", "ada")
    assert unmask("user", "role", "ada", "manager").exit_code == 0
    assert "ada\tmanager" in unmask("user", "list").stdout


@pytest.mark.parametrize("words", [("add", "ada", "--role", "king"), ("role", "admin", "king"), ("add",)])
def test_bad_usage(unmask: Unmask, people: Database, words: tuple[str, ...]) -> None:
    assert unmask("user", *words).exit_code == 2


@pytest.mark.parametrize(
    "words", [("add", "admin"), ("add", " "), ("role", "x", "viewer"), ("password", "x"), ("disable", "x")]
)
def test_what_cannot_be_done_is_said(unmask: Unmask, people: Database, words: tuple[str, ...]) -> None:
    done = unmask("user", *words)
    assert (done.exit_code, done.stdout) == (1, "")
    assert done.stderr.startswith("Error: ")


def test_a_new_password_replaces_the_old(unmask: Unmask) -> None:
    old = unmask("user", "add", "ada").stdout.strip()
    new = unmask("user", "password", "ada").stdout.strip()
    with writing() as session:
        assert store.check_password(session, "ada", old) is None
        assert store.check_password(session, "ada", new) is not None


def test_who_is_locked_out_stays_out(unmask: Unmask) -> None:
    password = unmask("user", "add", "ada").stdout.strip()
    assert unmask("user", "disable", "ada").exit_code == 0
    with writing() as session:
        assert store.check_password(session, "ada", password) is None
    assert "ada\tviewer\tdisabled" in unmask("user", "list").stdout


def test_what_was_done_is_in_the_audit_trail(unmask: Unmask, people: Database) -> None:
    for words in (("user", "add", "ada"), ("user", "role", "ada", "manager"), ("user", "disable", "ada")):
        assert unmask(*words).exit_code == 0
    unmask("token", "create")
    with people.read() as session:
        events = session.scalars(select(AuditEvent).order_by(AuditEvent.at)).all()
    assert [(event.actor, event.action, event.subject) for event in events] == [
        ("command line", "user.created", "ada"),
        ("command line", "user.role", "ada"),
        ("command line", "user.disabled", "ada"),
        ("command line", "token.created", "admin"),
    ]
    assert "umk_" not in str([event.details for event in events])
