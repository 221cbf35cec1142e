from __future__ import annotations

from datetime import timedelta

import pytest

from server.errors import Unauthorized
from server.store import pairings
from server.store import people as store
from server.store.db import Database, utc_now
from tests.server.cli.conftest import Unmask


def test_a_token_is_printed_alone(unmask: Unmask, people: Database) -> None:
    done = unmask("token", "create")
    assert (done.exit_code, done.stderr) == (0, "")
    secret = done.stdout.removesuffix("\n")
    assert secret.split() == [secret]
    with people.read() as session:
        caller = store.by_token(session, secret)
    assert (caller.name, caller.role, caller.scopes) == ("admin", "viewer", frozenset({"lookup", "check"}))


def test_a_token_as_asked_for(unmask: Unmask, people: Database) -> None:
    words = ("--name", "robot", "--role", "moderator", "--scope", "moderate", "--scope", "lookup", "--expires", "8w")
    secret = unmask("token", "create", *words).stdout.strip()
    with people.read() as session:
        caller = store.by_token(session, secret)
        ((row, _),) = store.tokens(session)
    assert (caller.role, caller.scopes) == ("moderator", frozenset({"moderate", "lookup"}))
    assert row.expires_at is not None
    assert abs(row.expires_at - utc_now() - timedelta(weeks=8)) < timedelta(minutes=1)


@pytest.mark.parametrize("duration", ["0d", "-1d", "30", "d", "1.5d", "1y", "01d", "10000w", "30 d", "٣d", ""])
def test_a_duration_that_is_none_is_bad_usage(unmask: Unmask, people: Database, duration: str) -> None:
    done = unmask("token", "create", "--expires", duration)
    assert (done.exit_code, done.stdout) == (2, "")
    assert "12h, 30d or 8w" in done.stderr


@pytest.mark.parametrize("duration", ["1h", "12h", "30d", "9999w"])
def test_a_duration(unmask: Unmask, people: Database, duration: str) -> None:
    assert unmask("token", "create", "--expires", duration).exit_code == 0


@pytest.mark.parametrize("words", [("--role", "king"), ("--scope", "everything")])
def test_bad_usage(unmask: Unmask, people: Database, words: tuple[str, ...]) -> None:
    assert unmask("token", "create", *words).exit_code == 2


def test_before_the_first_start_there_is_nobody_to_act_for(unmask: Unmask) -> None:
    done = unmask("token", "create")
    assert (done.exit_code, done.stdout) == (1, "")
    assert "no user called admin" in done.stderr


def test_a_token_never_outranks_its_owner(unmask: Unmask, people: Database) -> None:
    unmask("user", "add", "ada", "--role", "viewer")
    done = unmask("token", "create", "--user", "ada", "--role", "admin")
    assert (done.exit_code, done.stdout) == (1, "")


def test_tokens_are_listed_without_their_secrets(unmask: Unmask, people: Database) -> None:
    secret = unmask("token", "create", "--name", "robot").stdout.strip()
    unmask("token", "create", "--expires", "30d")
    first, second = unmask("token", "list").stdout.splitlines()
    assert first.split("\t")[1:] == ["robot", "admin", "viewer", "check,lookup", "no expiry", "never used"]
    assert second.split("\t")[5].endswith("Z")
    assert secret not in first + second


def test_a_revoked_token_is_useless(unmask: Unmask, people: Database) -> None:
    secret = unmask("token", "create").stdout.strip()
    token_id = unmask("token", "list").stdout.split("\t")[0]
    assert unmask("token", "revoke", token_id).exit_code == 0
    with people.read() as session, pytest.raises(Unauthorized):
        store.by_token(session, secret)
    assert "\trevoked\t" in unmask("token", "list").stdout
    assert unmask("token", "revoke", token_id).exit_code == 1


def test_a_code_pairs_a_browser(unmask: Unmask, people: Database) -> None:
    done = unmask("token", "pair", "--name", "laptop", "--expires", "30d")
    assert (done.exit_code, done.stderr) == (0, "")
    with people.write() as session:
        paired = pairings.redeem(session, done.stdout.strip(), utc_now())
    assert paired is not None
    assert (paired.user, paired.role, set(paired.scopes)) == ("admin", "viewer", {"lookup", "check"})
    assert paired.expires_at is not None
    assert abs(paired.expires_at - utc_now() - timedelta(days=30)) < timedelta(minutes=1)
    assert unmask("token", "pair", "--user", "nobody").exit_code == 1
