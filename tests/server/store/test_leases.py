from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

import pytest
from sqlalchemy import select, update

from server.errors import NoMedia, StorageFull
from server.store import leases
from server.store.db import Database, epoch_now
from server.store.tables import Check
from tests.server.worker.toys import row, submit

T = TypeVar("T")
LONG = 60.0
TRIES = 3


def claim(database: Database, owner: str = "me", seconds: float = LONG) -> Check | None:
    with database.write() as session:
        return leases.claim(session, owner, seconds, TRIES)


def claimed(database: Database, owner: str = "me", seconds: float = LONG) -> Check:
    check = claim(database, owner, seconds)
    assert check is not None
    return check


def write(database: Database, change: Callable[..., T], *arguments: Any, **named: Any) -> T:
    with database.write() as session:
        return change(session, *arguments, **named)


def expire(database: Database, check_id: str, **values: Any) -> None:
    with database.write() as session:
        session.execute(update(Check).where(Check.id == check_id).values(lease_until=epoch_now() - 1, **values))


def test_best_priority_first_then_oldest(any_database: Database) -> None:
    bulk, first, second = (submit(any_database, priority=priority) for priority in (5, 0, 0))
    assert [claimed(any_database).id for _ in range(3)] == [first, second, bulk]
    assert claim(any_database) is None


def test_a_claim_names_owner_lease_and_attempt(any_database: Database) -> None:
    check_id = submit(any_database)
    check = claimed(any_database, owner="host:1:a")
    assert (check.state, check.attempt, check.owner, check.version) == ("fetching", 1, "host:1:a", 2)
    with any_database.read() as session:
        left = session.scalar(select(Check.lease_until - epoch_now()).where(Check.id == check_id))
    assert left is not None
    assert LONG - 5 < left <= LONG


def test_not_before_is_waited_for(any_database: Database) -> None:
    with any_database.read() as session:
        now = session.scalar(select(epoch_now()))
    assert now is not None
    submit(any_database, not_before=now + 30)
    due = submit(any_database, not_before=now - 1, priority=5)
    with any_database.read() as session:
        assert leases.count_due(session, 10) == 1
    assert claimed(any_database).id == due
    assert claim(any_database) is None


def test_many_claim_at_once_and_each_check_is_claimed_once(any_database: Database) -> None:
    ids = {submit(any_database) for _ in range(24)}
    start = threading.Barrier(8)

    def worker(name: int) -> list[str]:
        start.wait()
        return [check.id for check in iter(lambda: claim(any_database, str(name)), None)]

    with ThreadPoolExecutor(8) as pool:
        got = [check_id for found in pool.map(worker, range(8)) for check_id in found]
    assert len(got) == len(ids)
    assert set(got) == ids


def test_only_the_present_attempt_may_write(any_database: Database) -> None:
    check_id = submit(any_database, dedupe="wish")
    old = claimed(any_database)
    expire(any_database, check_id)
    new = claimed(any_database, owner="other")
    assert (new.id, new.attempt) == (check_id, 2)
    stale: list[tuple[Callable[..., bool], tuple[Any, ...]]] = [
        (leases.beat, (0.5, LONG)),
        (leases.advance, ("decoding", 0.1, LONG)),
        (leases.complete, ("verdict", None)),
        (leases.fail, (NoMedia(),)),
        (leases.begin_alone, ()),
    ]
    for change, arguments in stale:
        assert write(any_database, change, check_id, old.attempt, *arguments) is False
    assert write(any_database, leases.release, check_id, old.attempt, alone=False) is False
    assert write(any_database, leases.defer, old, old.attempt, StorageFull(), alone=False) is False
    assert row(any_database, check_id).version == new.version
    assert write(any_database, leases.complete, check_id, new.attempt, "verdict", "sha256") is True
    done = row(any_database, check_id)
    assert (done.state, done.verdict_id, done.cache, done.dedupe, done.owner) == (
        "complete", "verdict", "sha256", None, None,
    )  # fmt: skip
    assert done.progress == 1.0
    assert done.finished_at is not None


def test_a_finished_check_is_never_touched_again(any_database: Database) -> None:
    check_id = submit(any_database)
    attempt = claimed(any_database).attempt
    assert write(any_database, leases.fail, check_id, attempt, NoMedia(details={"status": 404}))
    failed = row(any_database, check_id)
    assert failed.error == {"code": "no_media", "message": NoMedia.message, "details": {"status": 404}}
    assert not write(any_database, leases.complete, check_id, attempt, "verdict", None)
    assert not write(any_database, leases.fail, check_id, attempt, NoMedia())
    assert not write(any_database, leases.requeue_all, TRIES)
    assert row(any_database, check_id).version == failed.version


def test_every_change_of_state_moves_the_version_and_a_beat_only_with_progress(any_database: Database) -> None:
    check_id = submit(any_database)
    attempt = claimed(any_database).attempt
    versions = [row(any_database, check_id).version]
    for change, *arguments in (
        (leases.advance, "decoding", 0.0, LONG),
        (leases.beat, 0.0, LONG),
        (leases.beat, 0.4, LONG),
        (leases.beat, 0.4, LONG),
        (leases.complete, "verdict", None),
    ):
        assert write(any_database, change, check_id, attempt, *arguments)
        versions.append(row(any_database, check_id).version)
    assert versions == [2, 3, 3, 4, 4, 5]


def test_a_running_check_has_no_other_states(any_database: Database) -> None:
    check_id = submit(any_database)
    attempt = claimed(any_database).attempt
    with pytest.raises(ValueError, match="fetching, decoding, analyzing"):
        write(any_database, leases.advance, check_id, attempt, "complete", 1.0, LONG)


def test_an_expired_lease_is_queued_again_by_many_at_once(any_database: Database) -> None:
    ids = {submit(any_database) for _ in range(6)}
    for check in [claimed(any_database) for _ in ids]:
        expire(any_database, check.id)
    kept = submit(any_database)
    claimed_now = claim(any_database)
    assert claimed_now is not None  # the claim itself takes an expired lease, too
    with ThreadPoolExecutor(4) as pool:
        returned = list(pool.map(lambda _: write(any_database, leases.reconcile, TRIES), range(4)))
    queued = [check_id for one in returned for check_id in one.queued]
    assert len(queued) == len(set(queued)) == 5
    assert set(queued) == ids - {claimed_now.id}
    assert row(any_database, kept).state == "queued"
    assert not write(any_database, leases.reconcile, TRIES)


def test_only_attempts_alone_count_and_the_last_one_is_named(any_database: Database) -> None:
    check_id = submit(any_database, dedupe="wish", attempt=40)
    for alone in range(1, TRIES + 1):
        attempt = claimed(any_database).attempt
        assert attempt == 40 + alone
        assert write(any_database, leases.begin_alone, check_id, attempt)
        expire(any_database, check_id)
    assert claim(any_database) is None, "an expired lease is not claimed once the attempts are used up"
    assert list(write(any_database, leases.reconcile, TRIES).failed) == [check_id]
    given_up = row(any_database, check_id)
    assert given_up.error is not None
    assert (given_up.state, given_up.error["code"], given_up.dedupe) == ("failed", "worker_lost", None)


def test_a_dead_owner_gives_back_its_own_checks_only(any_database: Database) -> None:
    ids = [submit(any_database) for _ in range(3)]
    for owner in ("host:1:a", "host:1:a", "host:10:a"):
        claimed(any_database, owner=owner)
    returned = write(any_database, leases.requeue_owner, "host:1:a", TRIES)
    assert sorted(returned.queued) == sorted(ids[:2])
    back = row(any_database, ids[0])
    assert (back.state, back.owner, back.lease_until, back.progress) == ("queued", None, 0.0, 0.0)
    assert list(write(any_database, leases.requeue_all, TRIES).queued) == ids[2:]


def test_a_release_is_not_held_against_the_check(any_database: Database) -> None:
    check_id = submit(any_database)
    attempt = claimed(any_database).attempt
    write(any_database, leases.begin_alone, check_id, attempt)
    assert write(any_database, leases.release, check_id, attempt, alone=True)
    assert (row(any_database, check_id).state, row(any_database, check_id).alone_attempts) == ("queued", 0)


def test_a_deferred_check_waits_longer_each_time_and_is_then_failed(any_database: Database) -> None:
    check_id = submit(any_database)
    waits = []
    for _ in range(leases.MAX_DEFERRALS):
        check = claimed(any_database)
        assert write(any_database, leases.defer, check, check.attempt, StorageFull(), alone=False)
        with any_database.read() as session:
            waits.append(session.scalar(select(Check.not_before - epoch_now()).where(Check.id == check_id)) or 0.0)
        assert claim(any_database) is None
        with any_database.write() as session:
            session.execute(update(Check).values(not_before=0.0))
    assert waits == pytest.approx([1, 2, 4, 8, 16, 32], abs=0.9)
    check = claimed(any_database)
    assert write(any_database, leases.defer, check, check.attempt, StorageFull(), alone=False)
    failed = row(any_database, check_id)
    assert failed.error is not None
    assert (failed.state, failed.error["code"]) == ("failed", "storage_full")


def test_an_ending_clears_what_the_check_waited_for(any_database: Database) -> None:
    check_id = submit(any_database)
    check = claimed(any_database)
    write(any_database, leases.defer, check, check.attempt, StorageFull(), alone=False)
    with any_database.write() as session:
        session.execute(update(Check).values(not_before=0.0))
    assert write(any_database, leases.complete, check_id, claimed(any_database).attempt, "verdict", None)
    assert row(any_database, check_id).error is None
