from __future__ import annotations

import threading
from collections.abc import Callable, Iterator

import pytest
from sqlalchemy import func, select, update

from server.errors import DatabaseBusy, NoMedia, StorageFull
from server.settings import Settings
from server.store import leases
from server.store.db import Database, epoch_now
from server.store.tables import Check, VerdictRow
from server.worker.lease import Lease, LeaseLost
from server.worker.runs import Runner, Runs
from server.worker.tools import Tools
from server.worker.watchdog import EX_SOFTWARE, Watchdog
from tests.server.worker.toys import finish, row, submit, tools, until

SECONDS = 10.0


@pytest.fixture
def make(settings: Settings, database: Database) -> Callable[[Runner], Runs]:
    return lambda runner: Runs(runner, tools(settings, database), "me:1:a")


@pytest.fixture
def spawn() -> Iterator[Callable[[Runs], threading.Thread]]:
    threads: list[threading.Thread] = []

    def start(runs: Runs) -> threading.Thread:
        threads.append(threading.Thread(target=runs.answer))
        threads[-1].start()
        return threads[-1]

    yield start
    for thread in threads:
        thread.join(SECONDS)
        assert not thread.is_alive()


def raising(error: Exception) -> Runner:
    def runner(check: Check, lease: Lease, tools: Tools) -> None:
        raise error

    return runner


class Held:
    """A run that waits to be let go, and notes what it was told."""

    def __init__(self) -> None:
        self.started = threading.Event()
        self.go = threading.Event()
        self.lost = threading.Event()
        self.lease: Lease | None = None

    def __call__(self, check: Check, lease: Lease, tools: Tools) -> None:
        self.lease = lease
        lease.on_lost(self.lost.set)
        lease.on_lost(self.go.set)
        self.started.set()
        assert self.go.wait(SECONDS)
        lease.stage("decoding", 0.5)
        finish(check, lease, tools)


def test_a_run_ends_in_its_verdict(make: Callable[[Runner], Runs], database: Database) -> None:
    check_id = submit(database)
    seen: list[str] = []

    def runner(check: Check, lease: Lease, tools: Tools) -> None:
        for state, progress in (("fetching", 0.3), ("decoding", 0.0), ("analyzing", 0.5)):
            lease.stage(state, progress)
            seen.append(row(database, check.id).state)
        finish(check, lease, tools)

    asked: list[bool] = []
    make(runner).answer(lambda: asked.append(True))
    assert seen == ["fetching", "decoding", "analyzing"]
    done = row(database, check_id)
    assert (done.state, done.progress, done.error) == ("complete", 1.0, None)
    assert asked == [True]


@pytest.mark.parametrize("runner", [finish, raising(NoMedia()), raising(ZeroDivisionError())])
def test_an_upload_is_kept_no_longer_than_a_check_waits_for_it(
    make: Callable[[Runner], Runs], settings: Settings, database: Database, runner: Runner
) -> None:
    upload = settings.spool / "ab.jpg"
    upload.parent.mkdir()
    upload.write_bytes(b"x")
    submit(database, "https://example.org/a", spooled=upload.name)
    submit(database, "https://example.org/b", spooled=upload.name)
    runs = make(runner)
    runs.answer()
    assert upload.exists(), "the same bytes were asked for with other options"
    runs.answer()
    assert not upload.exists()


def test_no_work_is_no_error(make: Callable[[Runner], Runs]) -> None:
    make(raising(AssertionError())).answer()


@pytest.mark.parametrize(
    ("raised", "code"),
    [(NoMedia(details={"status": 404}), "no_media"), (ZeroDivisionError("defect"), "processing_failed")],
)
def test_a_failure_is_kept_by_name(
    make: Callable[[Runner], Runs], database: Database, raised: Exception, code: str
) -> None:
    check_id = submit(database, dedupe="wish")
    make(raising(raised)).answer()
    failed = row(database, check_id)
    assert failed.error is not None
    assert (failed.state, failed.error["code"], failed.dedupe, failed.attempt) == ("failed", code, None, 1)


def test_a_run_that_forgets_its_row_is_a_defect(make: Callable[[Runner], Runs], database: Database) -> None:
    check_id = submit(database)
    make(lambda check, lease, tools: None).answer()
    assert (row(database, check_id).error or {})["code"] == "processing_failed"


@pytest.mark.parametrize("raised", [DatabaseBusy(), StorageFull()])
def test_what_is_not_the_checks_fault_is_tried_again(
    make: Callable[[Runner], Runs], database: Database, raised: Exception
) -> None:
    check_id = submit(database)
    make(raising(raised)).answer()
    waiting = row(database, check_id)
    assert (waiting.state, waiting.alone_attempts) == ("queued", 0)
    assert waiting.not_before > 0
    with database.write() as session:
        session.execute(update(Check).values(not_before=0.0))
    make(finish).answer()
    assert row(database, check_id).state == "complete"


def test_a_cancelled_check_is_stopped_at_the_next_beat(
    make: Callable[[Runner], Runs], spawn: Callable[[Runs], threading.Thread], database: Database
) -> None:
    check_id, held = submit(database), Held()
    runs = make(held)
    thread = spawn(runs)
    assert held.started.wait(SECONDS)
    with database.write() as session:
        session.execute(update(Check).values(state="cancelled"))
    runs.heart.beat()
    assert held.lost.is_set()
    thread.join(SECONDS)
    assert row(database, check_id).state == "cancelled"
    with database.read() as session:
        assert session.scalar(select(func.count()).select_from(VerdictRow)) == 0


def test_a_fenced_run_writes_nothing(
    make: Callable[[Runner], Runs], spawn: Callable[[Runs], threading.Thread], database: Database
) -> None:
    check_id, held = submit(database), Held()
    thread = spawn(make(held))
    assert held.started.wait(SECONDS)
    with database.write() as session:
        session.execute(update(Check).values(lease_until=epoch_now() - 1))
    make(finish).answer()
    done = row(database, check_id)
    assert (done.state, done.attempt) == ("complete", 2)
    held.go.set()
    thread.join(SECONDS)
    assert row(database, check_id).version == done.version
    with database.read() as session:
        assert session.scalar(select(func.count()).select_from(VerdictRow)) == 1


def test_the_fence_holds_inside_the_finishing_transaction(make: Callable[[Runner], Runs], database: Database) -> None:
    check_id = submit(database)

    def runner(check: Check, lease: Lease, tools: Tools) -> None:
        with database.write() as session:
            session.execute(update(Check).values(attempt=7))
        finish(check, lease, tools)

    make(runner).answer()
    assert row(database, check_id).state == "fetching"
    with database.read() as session:
        assert session.scalar(select(func.count()).select_from(VerdictRow)) == 0


def test_a_second_attempt_runs_alone_and_is_counted(
    make: Callable[[Runner], Runs], spawn: Callable[[Runs], threading.Thread], database: Database
) -> None:
    neighbour, held, alone = submit(database, "https://example.org/n"), Held(), Held()
    runners = {neighbour: held}
    runs = make(lambda check, lease, tools: runners.get(check.id, alone)(check, lease, tools))
    spawn(runs)
    assert held.started.wait(SECONDS)
    suspect = submit(database, "https://example.org/s", attempt=1)
    spawn(runs)
    until(lambda: row(database, suspect).state == "fetching")
    assert row(database, suspect).alone_attempts == 0, "it still waits to be alone"
    assert not alone.started.is_set()
    runs.heart.beat()  # waiting, too, it keeps its lease
    held.go.set()
    assert alone.started.wait(SECONDS)
    assert row(database, suspect).alone_attempts == 1
    alone.go.set()
    until(lambda: row(database, suspect).state == "complete")
    assert row(database, neighbour).state == "complete"


def test_stopping_gives_checks_back_unblamed(
    make: Callable[[Runner], Runs], spawn: Callable[[Runs], threading.Thread], database: Database
) -> None:
    check_id, held = submit(database, attempt=1), Held()
    runs = make(held)
    thread = spawn(runs)
    assert held.started.wait(SECONDS)
    runs.stop()
    assert held.lost.is_set()
    thread.join(SECONDS)
    back = row(database, check_id)
    assert (back.state, back.owner, back.alone_attempts) == ("queued", None, 0)
    runs.answer()
    assert row(database, check_id).attempt == 2, "a stopped worker claims nothing"


def test_an_overrun_is_told_first_and_then_ends_the_process(
    make: Callable[[Runner], Runs], spawn: Callable[[Runs], threading.Thread], database: Database
) -> None:
    submit(database)
    go = threading.Event()
    leased: list[Lease] = []

    def deaf(check: Check, lease: Lease, tools: Tools) -> None:
        leased.append(lease)
        assert go.wait(SECONDS)

    runs = make(deaf)
    spawn(runs)
    until(lambda: leased and leased[0].started is not None)
    ended: list[int] = []
    watchdog = Watchdog(runs.heart, seconds=10, grace=5, end=ended.append)
    started = leased[0].started or 0.0
    watchdog.look(started + 9)
    assert not leased[0].lost.is_set()
    watchdog.look(started + 11)
    assert leased[0].lost.is_set()
    assert ended == []
    watchdog.look(started + 16)
    assert ended == [EX_SOFTWARE]
    go.set()


def test_on_lost_is_called_at_once_when_it_is_too_late(database: Database) -> None:
    lease = Lease(database, "gone", 1, 15)
    lease.lose()
    told = threading.Event()
    lease.on_lost(told.set)
    assert told.is_set()
    with pytest.raises(LeaseLost):
        lease.stage("decoding", 0.0)


def test_progress_rides_on_the_beat(make: Callable[[Runner], Runs], database: Database) -> None:
    check_id = submit(database)
    seen: list[float] = []

    def runner(check: Check, lease: Lease, tools: Tools) -> None:
        lease.stage("fetching", 0.4)
        seen.append(row(database, check.id).progress)
        runs.heart.beat()
        seen.append(row(database, check.id).progress)
        finish(check, lease, tools)

    runs = make(runner)
    runs.answer()
    assert seen == [0.0, 0.4]
    assert row(database, check_id).state == "complete"
    assert leases.RUNNING[0] == "fetching"
