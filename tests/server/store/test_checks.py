"""Many people, one job: who joins, who is turned away, and who may take it back. On both databases."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import func, select, update

from server.errors import KeyReused, NotFound, QueueFull
from server.options import Options
from server.store import checks, people
from server.store.checks import Submitted, Wish
from server.store.db import Database, utc_now
from server.store.tables import Check, CheckRequest
from tests.server.store import rows

WISH = Wish(source="url", acquisition="download", url="https://example.org/a", url_key=rows.key("a"))
THREADS = 32


def submit(
    database: Database, user_id: str, wish: Wish = WISH, *, limit: int = 100, key: str | None = None
) -> Submitted:
    with database.write() as session:
        return checks.submit(session, wish, user_id, queue_limit=limit, idempotency_key=key)


def count(database: Database, table: type[Check] | type[CheckRequest]) -> int:
    with database.read() as session:
        return session.scalar(select(func.count()).select_from(table)) or 0


def check(database: Database, check_id: str) -> Check:
    with database.read() as session:
        return checks.get(session, check_id)


def end(database: Database, check_id: str, state: str = "complete", **values: Any) -> None:
    with database.write() as session:
        session.execute(update(Check).where(Check.id == check_id).values(state=state, dedupe=None, **values))


def withdraw(database: Database, check_id: str, user_id: str) -> Check:
    with database.write() as session:
        return checks.withdraw(session, check_id, user_id)


# asking


def test_the_same_wish_of_many_people_is_one_check(any_database: Database) -> None:
    people = [rows.user(any_database, f"user {n}") for n in range(3)]
    asked = [submit(any_database, person) for person in people]
    assert len({made.check.id for made in asked}) == 1
    assert [made.created for made in asked] == [True, False, False]
    assert (count(any_database, Check), count(any_database, CheckRequest)) == (1, 3)


def test_a_new_check_waits_with_all_that_was_said(any_database: Database) -> None:
    wish = replace(WISH, page_url="https://example.org/page", media_url="https://cdn.example/x.jpg", priority="bulk")
    made = submit(any_database, rows.user(any_database), replace(wish, options=Options(20, ("meso4",)))).check
    assert (made.state, made.priority, made.progress, made.attempt) == ("queued", 5, 0.0, 0)
    assert (made.url, made.page_url, made.media_url) == (wish.url, wish.page_url, wish.media_url)
    assert Options.from_json(made.options) == Options(20, ("meso4",))
    assert made.variant == Options(20, ("meso4",)).variant != ""


@pytest.mark.parametrize(
    "other",
    [
        replace(WISH, options=Options(sequence_length=20)),
        replace(WISH, options=Options(detectors=("meso4",))),
        replace(WISH, force=True),
        replace(WISH, url_key=rows.key("b")),
        replace(WISH, media_url="https://cdn.example/x.jpg"),
        Wish(source="file", acquisition="upload", sha256="0" * 64, spooled="x.png"),
        Wish(source="file", acquisition="canvas", sha256="0" * 64, spooled="x.png"),
        Wish(source="frames", acquisition="canvas", sha256="0" * 64, spooled="x.png"),
    ],
)
def test_another_wish_is_another_check(database: Database, other: Wish) -> None:
    user_id = rows.user(database)
    assert submit(database, user_id).check.id != submit(database, user_id, other).check.id
    assert count(database, Check) == 2


@pytest.mark.parametrize(
    "same",
    [
        replace(WISH, priority="bulk"),
        replace(WISH, claimed_url="https://example.org/claim"),
        replace(WISH, options=Options(detectors=None)),
    ],
)
def test_what_changes_no_analysis_makes_no_other_check(database: Database, same: Wish) -> None:
    user_id = rows.user(database)
    assert submit(database, user_id).check.id == submit(database, user_id, same).check.id


def test_many_at_once_are_one_row(any_database: Database) -> None:
    people = [rows.user(any_database, f"user {n}") for n in range(THREADS)]
    start = threading.Barrier(THREADS)

    def ask(person: str) -> Submitted:
        start.wait(10)
        return submit(any_database, person)

    with ThreadPoolExecutor(THREADS) as pool:
        asked = list(pool.map(ask, people))
    assert len({made.check.id for made in asked}) == 1
    assert [made.created for made in asked].count(True) == 1
    assert (count(any_database, Check), count(any_database, CheckRequest)) == (1, THREADS)


@pytest.mark.parametrize(("first", "then", "priority"), [("bulk", "interactive", 0), ("interactive", "bulk", 0)])
def test_who_waits_in_person_goes_first(database: Database, first: str, then: str, priority: int) -> None:
    user_id = rows.user(database)
    before = submit(database, user_id, replace(WISH, priority=first)).check
    after = submit(database, user_id, replace(WISH, priority=then)).check
    assert (after.id, after.priority) == (before.id, priority)


@pytest.mark.parametrize("state", ["complete", "failed", "cancelled"])
def test_a_check_that_ended_is_not_joined(database: Database, state: str) -> None:
    user_id = rows.user(database)
    first = submit(database, user_id)
    end(database, first.check.id, state)
    second = submit(database, user_id)
    assert second.check.id != first.check.id
    assert second.created


@pytest.mark.parametrize("state", ["fetching", "decoding", "analyzing"])
def test_a_check_under_way_is_joined(database: Database, state: str) -> None:
    user_id = rows.user(database)
    first = submit(database, user_id)
    with database.write() as session:
        session.execute(update(Check).values(state=state))
    second = submit(database, user_id)
    assert (second.check.id, second.check.state, second.created) == (first.check.id, state, False)


# the same request sent twice


def test_an_idempotency_key_answers_with_the_same_check(any_database: Database) -> None:
    user_id = rows.user(any_database)
    first = submit(any_database, user_id, key="k")
    end(any_database, first.check.id)
    again = submit(any_database, user_id, key="k")
    assert (again.check.id, again.check.state, again.created) == (first.check.id, "complete", False)
    assert count(any_database, CheckRequest) == 1


def test_an_idempotency_key_belongs_to_one_person(any_database: Database) -> None:
    ada, bob = rows.user(any_database, "ada"), rows.user(any_database, "bob")
    submit(any_database, ada, key="k")
    other = submit(any_database, bob, replace(WISH, url_key=rows.key("b")), key="k")
    assert other.created
    assert count(any_database, Check) == 2


@pytest.mark.parametrize("wishes", ["same", "different"])
def test_one_key_raced_is_one_check(any_database: Database, wishes: str) -> None:
    """All look for the key before one has stored it; losers get the winner's check, or are told that it is taken."""
    user_id = rows.user(any_database)
    start = threading.Barrier(8)

    def ask(number: int) -> Submitted | None:
        wish = WISH if wishes == "same" else replace(WISH, url_key=rows.key(str(number)))
        start.wait(10)
        try:
            return submit(any_database, user_id, wish, key="k")
        except KeyReused:
            return None

    with ThreadPoolExecutor(8) as pool:
        asked = [made for made in pool.map(ask, range(8)) if made is not None]
    assert len(asked) == (8 if wishes == "same" else 1)
    assert len({made.check.id for made in asked}) == 1
    assert [made.created for made in asked].count(True) == 1
    assert (count(any_database, Check), count(any_database, CheckRequest)) == (1, 1)


# the queue


def test_a_full_queue_refuses_and_stores_nothing(any_database: Database) -> None:
    user_id = rows.user(any_database)
    submit(any_database, user_id, limit=1)
    other = replace(WISH, url_key=rows.key("b"))
    with pytest.raises(QueueFull) as full:
        submit(any_database, user_id, other, limit=1)
    assert full.value.retry_after == 30
    assert (count(any_database, Check), count(any_database, CheckRequest)) == (1, 1)


def test_a_full_queue_can_still_be_joined(database: Database) -> None:
    first = submit(database, rows.user(database, "ada"), limit=1)
    assert submit(database, rows.user(database, "bob"), limit=1).check.id == first.check.id


def test_only_checks_that_wait_fill_the_queue(database: Database) -> None:
    user_id = rows.user(database)
    submit(database, user_id, limit=1)
    with database.write() as session:
        session.execute(update(Check).values(state="fetching"))
    assert submit(database, user_id, replace(WISH, url_key=rows.key("b")), limit=1).created


# taking it back


def test_the_last_one_out_cancels(any_database: Database) -> None:
    ada, bob = rows.user(any_database, "ada"), rows.user(any_database, "bob")
    check_id = submit(any_database, ada).check.id
    submit(any_database, bob)
    assert withdraw(any_database, check_id, ada).state == "queued"
    ended = withdraw(any_database, check_id, bob)
    assert (ended.state, ended.dedupe) == ("cancelled", None)
    assert ended.finished_at is not None
    assert submit(any_database, ada).check.id != check_id


def test_a_stranger_cannot_withdraw(any_database: Database) -> None:
    check_id = submit(any_database, rows.user(any_database, "ada")).check.id
    with pytest.raises(NotFound):
        withdraw(any_database, check_id, rows.user(any_database, "bob"))
    assert check(any_database, check_id).state == "queued"


def test_nobody_withdraws_twice(any_database: Database) -> None:
    ada, bob = rows.user(any_database, "ada"), rows.user(any_database, "bob")
    check_id = submit(any_database, ada).check.id
    submit(any_database, bob)
    withdraw(any_database, check_id, ada)
    with pytest.raises(NotFound):
        withdraw(any_database, check_id, ada)
    assert check(any_database, check_id).state == "queued", "Bob still waits for it"


def test_asking_twice_is_taken_back_at_once(database: Database) -> None:
    ada = rows.user(database)
    check_id = submit(database, ada).check.id
    submit(database, ada)
    assert withdraw(database, check_id, ada).state == "cancelled"


@pytest.mark.parametrize("state", ["complete", "failed"])
def test_what_ended_stays_ended(database: Database, state: str) -> None:
    ada = rows.user(database)
    check_id = submit(database, ada).check.id
    end(database, check_id, state)
    assert withdraw(database, check_id, ada).state == state


def test_all_withdrawing_at_once_cancel(any_database: Database) -> None:
    people = [rows.user(any_database, f"user {n}") for n in range(8)]
    (check_id,) = {submit(any_database, person).check.id for person in people}
    start = threading.Barrier(len(people))

    def leave(person: str) -> None:
        start.wait(10)
        withdraw(any_database, check_id, person)

    with ThreadPoolExecutor(len(people)) as pool:
        list(pool.map(leave, people))
    assert check(any_database, check_id).state == "cancelled"


def test_joining_while_the_last_one_leaves_keeps_the_check(any_database: Database) -> None:
    """Bob has joined, uncommitted, when Ada leaves: either she waits for him, or he would lose his check."""
    ada, bob = rows.user(any_database, "ada"), rows.user(any_database, "bob")
    check_id = submit(any_database, ada).check.id
    left = threading.Thread(target=withdraw, args=(any_database, check_id, ada))
    with any_database.write() as session:
        checks.submit(session, WISH, bob, queue_limit=100)
        left.start()
        left.join(0.2)
        assert left.is_alive(), "she is to wait until it is known whether Bob joined"
    left.join(10)
    assert check(any_database, check_id).state == "queued"


# looking


def test_mine_pages_without_gaps_or_doubles(any_database: Database) -> None:
    ada, bob = rows.user(any_database, "ada"), rows.user(any_database, "bob")
    asked = [submit(any_database, ada, replace(WISH, url_key=rows.key(str(n)))).check.id for n in range(7)]
    submit(any_database, bob, replace(WISH, url_key=rows.key("bob's")))
    seen: list[str] = []
    after: str | None = None
    while page := _page(any_database, ada, 3, after):
        seen += page
        after = page[-1]
    assert seen == asked[::-1]


def test_mine_pages_among_equal_times(any_database: Database) -> None:
    ada = rows.user(any_database)
    asked = {submit(any_database, ada, replace(WISH, url_key=rows.key(str(n)))).check.id for n in range(5)}
    with any_database.write() as session:
        session.execute(update(CheckRequest).values(created_at=utc_now()))
    seen: list[str] = []
    while page := _page(any_database, ada, 2, seen[-1] if seen else None):
        seen += page
    assert len(seen) == 5
    assert set(seen) == asked


def test_a_check_asked_for_again_comes_first_and_once(any_database: Database) -> None:
    ada = rows.user(any_database)
    first = submit(any_database, ada).check.id
    second = submit(any_database, ada, replace(WISH, url_key=rows.key("b"))).check.id
    assert _page(any_database, ada, 10) == [second, first]
    submit(any_database, ada)
    assert _page(any_database, ada, 10) == [first, second]


def test_what_was_withdrawn_is_no_longer_mine(any_database: Database) -> None:
    ada = rows.user(any_database)
    check_id = submit(any_database, ada).check.id
    withdraw(any_database, check_id, ada)
    assert _page(any_database, ada, 10) == []
    with pytest.raises(NotFound):
        _page(any_database, ada, 10, after=check_id)


def _page(database: Database, user_id: str, limit: int, after: str | None = None) -> list[str]:
    with database.read() as session:
        return [found.id for found in checks.mine(session, user_id, limit=limit, after=after)]


def test_who_may_see_a_check(any_database: Database) -> None:
    ada, bob = rows.user(any_database, "ada"), rows.user(any_database, "bob")
    check_id = submit(any_database, ada).check.id
    with any_database.read() as session:
        assert checks.may_see(session, check_id, ada)
        assert not checks.may_see(session, check_id, bob)
        assert not checks.may_see(session, "none", ada)


def test_there_is_no_such_check(database: Database) -> None:
    with pytest.raises(NotFound):
        check(database, "none")


def test_whoever_asked_may_see_the_pictures_and_so_may_who_brought_the_same_bytes(any_database: Database) -> None:
    ada, bob = rows.user(any_database, "ada"), rows.user(any_database, "bob")
    check_id = submit(any_database, ada).check.id
    with any_database.write() as session:
        media = rows.media(session)
        other = rows.media(session, "other bytes")
        verdict_id = rows.publish(session, media).id
    end(any_database, check_id, verdict_id=verdict_id)
    with any_database.write() as session:
        assert checks.asked_for(session, media.id, ada)
        assert not checks.asked_for(session, other.id, ada)
        assert not checks.asked_for(session, media.id, bob)
        checks.remember(session, media.id, bob, claimed_url="https://example.org/claim")
        assert checks.asked_for(session, media.id, bob)
        assert checks.may_see(session, check_id, bob)
    for _ in range(2):
        with any_database.write() as session:
            checks.remember(session, media.id, bob)
    assert count(any_database, CheckRequest) == 2, "remembered once"


def test_nothing_is_remembered_of_media_nobody_asked_about(database: Database) -> None:
    ada = rows.user(database)
    with database.write() as session:
        media = rows.media(session)
        checks.remember(session, media.id, ada)
        assert not checks.asked_for(session, media.id, ada)


# options


def test_the_usual_options_are_the_usual_variant() -> None:
    assert Options().variant == ""
    assert Options.from_json(Options().to_json()) == Options()


def test_the_order_of_detectors_is_no_variant() -> None:
    assert Options(detectors=("a", "b")).variant == Options(detectors=("b", "a", "a")).variant != ""
    assert Options(detectors=()).variant not in ("", Options(detectors=("a",)).variant)
    assert len(Options(20).variant) <= 16


@pytest.mark.parametrize("options", [Options(20), Options(100, ("b", "a")), Options(60, ())])
def test_options_come_back(options: Options) -> None:
    assert Options.from_json(options.to_json()) == options


def test_a_key_used_for_something_else_is_refused(any_database: Database) -> None:
    with any_database.write() as session:
        user = people.add_user(session, "ada", None, "viewer")
        checks.submit(session, WISH, user.id, queue_limit=10, idempotency_key="k")
        with pytest.raises(KeyReused):
            checks.submit(session, replace(WISH, force=True), user.id, queue_limit=10, idempotency_key="k")
