from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from sqlalchemy import text

from server.errors import BadRequest, NotFound, TokenExpired, Unauthorized
from server.store import people
from server.store.db import Database, utc_now
from server.store.rights import SCOPES, Caller

PASSWORD = "correct horse battery"


def caller(role: str, *scopes: str) -> Caller:
    return Caller("u", "name", role, frozenset(scopes))


@pytest.mark.parametrize(
    ("role", "scopes", "may"),
    [
        ("viewer", SCOPES, {"lookup", "check"}),
        ("moderator", SCOPES, {"lookup", "check", "moderate"}),
        ("manager", SCOPES, {"lookup", "check", "moderate"}),
        ("admin", SCOPES, {"lookup", "check", "moderate", "admin"}),
        ("admin", ("lookup",), {"lookup"}),
        ("viewer", ("admin", "moderate"), set()),
        ("no such role", SCOPES, set()),
        ("admin", (), set()),
    ],
)
def test_the_right_is_role_and_scope_together(role: str, scopes: tuple[str, ...], may: set[str]) -> None:
    assert {scope for scope in SCOPES if caller(role, *scopes).may(scope)} == may


def test_a_token_proves_who_asks(any_database: Database) -> None:
    with any_database.write() as session:
        people.add_user(session, "mona", None, "moderator")
        secret = people.create_token(session, "mona", name="bot", role="viewer", scopes=["check", "lookup", "check"])
    assert secret.startswith("umk_")
    assert len(secret) >= 47, "256 random bits"
    with any_database.read() as session:
        found = people.by_token(session, secret)
        assert (found.name, found.role, found.scopes) == ("mona", "viewer", {"check", "lookup"})
        row, owner = people.tokens(session)[0]
        assert (owner, row.name, row.scopes, row.last_used_at) == ("mona", "bot", ["check", "lookup"], None)


def test_no_secret_is_stored(any_database: Database) -> None:
    with any_database.write() as session:
        user = people.add_user(session, "ada", PASSWORD, "admin")
        secrets = [
            people.create_token(session, "ada", name="t", role="admin", scopes=["admin"]),
            people.create_login_link(session, user),
            people.open_session(session, user, 1),
            PASSWORD,
        ]
    with any_database.read() as session:
        stored = [
            str(session.execute(text(f"SELECT * FROM {table}")).all()) for table in ("users", "tokens", "sessions")
        ]
    for secret in secrets:
        assert secret not in "".join(stored)


def test_a_token_follows_its_owner(any_database: Database) -> None:
    with any_database.write() as session:
        people.add_user(session, "root", None, "admin")
        people.add_user(session, "ada", None, "admin")
        secret = people.create_token(session, "ada", name="t", role="admin", scopes=["admin"])
        people.set_role(session, "ada", "viewer")
        assert people.by_token(session, secret).role == "viewer"
        people.disable(session, "ada")
        with pytest.raises(Unauthorized):
            people.by_token(session, secret)


def test_a_token_ends(any_database: Database) -> None:
    now = utc_now()
    with any_database.write() as session:
        people.add_user(session, "ada", None, "viewer")
        secret = people.create_token(
            session, "ada", name="t", role="viewer", scopes=["lookup"], expires_at=now + timedelta(hours=1)
        )
        assert people.by_token(session, secret, now)
        with pytest.raises(TokenExpired):
            people.by_token(session, secret, now + timedelta(hours=1))
        token_id = people.tokens(session)[0][0].id
        people.note_use(session, {token_id: now})
        people.revoke_token(session, token_id)
        with pytest.raises(Unauthorized):
            people.by_token(session, secret, now)
        with pytest.raises(NotFound):
            people.revoke_token(session, token_id)


def test_what_cannot_be(any_database: Database) -> None:
    with any_database.write() as session:
        people.add_user(session, "vera", None, "viewer")
        for wrong in (
            lambda: people.add_user(session, "vera", None, "viewer"),
            lambda: people.add_user(session, " ", None, "viewer"),
            lambda: people.add_user(session, "x", None, "king"),
            lambda: people.add_user(session, "x", "short", "viewer"),
            lambda: people.create_token(session, "vera", name="t", role="admin", scopes=["admin"]),
            lambda: people.create_token(session, "vera", name="t", role="viewer", scopes=["all"]),
        ):
            with pytest.raises(BadRequest):
                wrong()
        with pytest.raises(NotFound):
            people.create_token(session, "nobody", name="t", role="viewer", scopes=["lookup"])


def test_a_password_lets_in_its_owner(any_database: Database) -> None:
    with any_database.write() as session:
        people.add_user(session, "vera", PASSWORD, "viewer")
        people.add_user(session, "linked", None, "viewer")
        assert people.check_password(session, "vera", PASSWORD) is not None
        assert people.check_password(session, " vera ", PASSWORD) is not None
        for name, password in (("vera", "wrong"), ("nobody", PASSWORD), ("linked", ""), ("linked", "spent")):
            assert people.check_password(session, name, password) is None
        people.disable(session, "vera")
        assert people.check_password(session, "vera", PASSWORD) is None


def test_a_one_time_password_works_once(database: Database) -> None:
    with database.write() as session:
        people.add_user(session, "ada", PASSWORD, "admin", once=True)

    def enter(_: int) -> bool:
        with database.write() as session:
            return people.check_password(session, "ada", PASSWORD) is not None

    with ThreadPoolExecutor(4) as pool:
        assert sorted(pool.map(enter, range(4))) == [False, False, False, True]
    with database.read() as session:
        assert people.must_choose_password(people.get_user(session, "ada"))


def test_a_link_works_once_and_not_for_ever(any_database: Database) -> None:
    now = utc_now()
    with any_database.write() as session:
        user = people.add_user(session, "ada", None, "admin")
        old, fresh = (people.create_login_link(session, user, 1.0, now) for _ in range(2))
        assert people.use_login_link(session, old, now + timedelta(hours=1)) is None
        assert people.use_login_link(session, fresh, now) is not None
        assert people.use_login_link(session, fresh, now) is None
        with pytest.raises(Unauthorized):
            people.by_token(session, old, now)
        assert not people.tokens(session), "links are no tokens"


def test_a_login_lasts_until_it_is_ended(any_database: Database) -> None:
    now = utc_now()
    with any_database.write() as session:
        user = people.add_user(session, "vera", None, "viewer")
        first, second = (people.open_session(session, user, 1, now) for _ in range(2))
        found = people.by_cookie(session, first, now)
        assert found is not None
        assert found.session_id is not None
        assert found.may("check")
        assert people.by_cookie(session, first, now + timedelta(hours=1)) is None
        assert people.by_cookie(session, "made up", now) is None
        assert len(people.sessions(session, user.id, now)) == 2
        people.end_sessions(session, user.id, but=found.session_id)
        assert people.by_cookie(session, second, now) is None
        assert people.by_cookie(session, first, now) is not None
        people.end_session(session, found.session_id)
        assert people.by_cookie(session, first, now) is None


def test_a_new_password_ends_links_that_were_not_used(any_database: Database) -> None:
    with any_database.write() as session:
        link = people.create_login_link(session, people.add_user(session, "ada", None, "admin"))
        people.set_password(session, "ada", PASSWORD)
        assert people.use_login_link(session, link) is None


def test_what_lets_nobody_in_any_more_is_removed(any_database: Database) -> None:
    now = utc_now()
    with any_database.write() as session:
        user = people.add_user(session, "vera", None, "viewer")
        live, ended, _ = (people.open_session(session, user, hours, now) for hours in (2.0, 2.0, 1.0))
        caller = people.by_cookie(session, ended, now)
        assert caller is not None
        assert caller.session_id is not None
        people.end_session(session, caller.session_id, now)
        unused, used, _ = (people.create_login_link(session, user, hours, now) for hours in (2.0, 2.0, 1.0))
        people.use_login_link(session, used, now)
        token = people.create_token(session, "vera", name="", role="viewer", scopes=["check"], expires_at=now)
        assert people.remove_ended(session, now + timedelta(hours=1)) == 4
        assert people.by_cookie(session, live, now) is not None
        assert people.use_login_link(session, unused, now) is not None
        with pytest.raises(TokenExpired):
            people.by_token(session, token, now)


def test_the_last_administrator_stays_one(database: Database) -> None:
    with database.write() as session:
        people.add_user(session, "ada", None, "admin")
        for change in (lambda: people.disable(session, "ada"), lambda: people.set_role(session, "ada", "viewer")):
            with pytest.raises(BadRequest, match="only administrator"):
                change()
        people.add_user(session, "bob", None, "admin")
        people.disable(session, "ada")
        with pytest.raises(BadRequest, match="only administrator"):
            people.disable(session, "bob")
        people.enable(session, "ada")
        people.set_role(session, "bob", "viewer")
