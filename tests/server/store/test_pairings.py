from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import func, select

from server.errors import BadRequest, NotFound
from server.store import pairings, people
from server.store.db import Database, utc_now
from server.store.tables import Pairing

NOW = utc_now()
SCOPES = ("lookup", "check")


def offer(database: Database, user: str = "vera", *, role: str = "viewer", minutes: float = 0) -> str:
    with database.write() as session:
        if people.find_user(session, "vera") is None:
            people.add_user(session, "vera", None, "viewer")
        now = NOW + timedelta(minutes=minutes)
        return pairings.offer(session, user, name="laptop", role=role, scopes=SCOPES, now=now)


def redeem(database: Database, code: str, minutes: float = 0) -> pairings.Paired | None:
    with database.write() as session:
        return pairings.redeem(session, code, NOW + timedelta(minutes=minutes))


def test_a_code_becomes_a_token_once(any_database: Database) -> None:
    code = offer(any_database)
    paired = redeem(any_database, code)
    assert paired is not None
    assert (paired.user, paired.role, set(paired.scopes)) == ("vera", "viewer", set(SCOPES))
    with any_database.read() as session:
        assert people.by_token(session, paired.secret).scopes == set(SCOPES)
        assert [row.name for row, _ in people.tokens(session)] == ["laptop"]
        assert session.scalar(select(func.count()).select_from(Pairing)) == 0
    assert redeem(any_database, code) is None


def test_a_code_is_stored_as_its_hash_and_easy_to_type(database: Database) -> None:
    code = offer(database)
    assert len(code) == 9
    assert code[4] == "-"
    with database.read() as session:
        assert pairings.plain(code) not in str(session.scalars(select(Pairing.code_hash)).all())
    assert redeem(database, f" {code.lower().replace('-', ' ')} ") is not None


@pytest.mark.parametrize(("minutes", "good"), [(9.99, True), (10, False), (11, False)])
def test_a_code_is_good_for_ten_minutes(database: Database, minutes: float, good: bool) -> None:
    code = offer(database)
    assert (redeem(database, code, minutes) is not None) == good


@pytest.mark.parametrize(("wrong", "good"), [(4, True), (5, False)])
def test_after_five_wrong_tries_no_code_is_good(database: Database, wrong: int, good: bool) -> None:
    codes = [offer(database) for _ in range(2)]
    assert [redeem(database, "AAAA-AAAA") for _ in range(wrong)] == [None] * wrong
    assert [redeem(database, code) is not None for code in codes] == [good, good]
    assert redeem(database, offer(database)) is not None, "a new code has tries of its own"


def test_who_is_disabled_pairs_nothing(database: Database) -> None:
    code = offer(database)
    with database.write() as session:
        people.disable(session, "vera")
    assert redeem(database, code) is None


def test_a_browser_never_outranks_its_person(database: Database) -> None:
    with pytest.raises(BadRequest, match="viewer at the most"):
        offer(database, role="admin")
    with pytest.raises(NotFound):
        offer(database, user="nobody")


def test_what_is_over_is_removed_with_the_next_offer(database: Database) -> None:
    offer(database)
    offer(database, minutes=11)
    with database.read() as session:
        assert session.scalar(select(func.count()).select_from(Pairing)) == 1
