"""Who may run a check, and until when. The row is the truth; a broker only says that there is work.

Each function is one conditional UPDATE inside the caller's write transaction. `attempt` grows with every claim and
fences every later write: a run whose attempt is no longer the row's changes nothing and is told so by `False`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import ColumnElement, and_, case, exists, func, or_, select, update
from sqlalchemy.orm import Session

from server.errors import UnmaskError, WorkerLost
from server.store.db import epoch_now, utc_now
from server.store.tables import Check
from server.verdict import ACTIVE_STATES

QUEUED: Final = ACTIVE_STATES[0]
RUNNING: Final = ACTIVE_STATES[1:]

# A locked database or a full disk is not the check's fault: wait 1, 2, 4 ... 32 s, then say so to the person.
MAX_DEFERRALS: Final = 6


@dataclass(frozen=True)
class Returned:
    """Checks that lost their worker: queued again, or given up."""

    queued: Sequence[str] = ()
    failed: Sequence[str] = ()

    def __bool__(self) -> bool:
        return bool(self.queued or self.failed)


def claim(session: Session, owner: str, lease_seconds: float, max_attempts: int) -> Check | None:
    """The best due check, now ours for `lease_seconds`; None when nothing is due."""
    due = _due(max_attempts)
    best = select(Check.id).where(due).order_by(Check.priority, Check.created_at, Check.id).limit(1).scalar_subquery()
    take = (
        update(Check)
        .where(Check.id == best, due)
        .values(
            state=RUNNING[0], attempt=Check.attempt + 1, owner=owner, lease_until=epoch_now() + lease_seconds,
            progress=0.0, version=Check.version + 1,
        )
        .returning(Check)
        .execution_options(synchronize_session=False, populate_existing=True)
    )  # fmt: skip
    while (check := session.scalars(take).one_or_none()) is None:
        # PostgreSQL: another worker took the same row first. There may be a next one.
        if not session.scalar(select(exists().where(due))):
            return None
    return check


def count_due(session: Session, limit: int) -> int:
    """How many queued checks could start now, counted up to `limit`."""
    rows = select(Check.id).where(_waiting()).limit(limit).subquery()
    return session.scalar(select(func.count()).select_from(rows)) or 0


def begin_alone(session: Session, check_id: str, attempt: int) -> bool:
    """From here on the check has its worker for itself: if the worker dies now, it was this check."""
    return _change(session, _held(check_id, attempt), alone_attempts=Check.alone_attempts + 1)


def beat(session: Session, check_id: str, attempt: int, progress: float, lease_seconds: float) -> bool:
    moved = case((Check.progress != progress, 1), else_=0)
    return _change(
        session,
        _held(check_id, attempt),
        progress=progress, version=Check.version + moved, lease_until=epoch_now() + lease_seconds,
    )  # fmt: skip


def advance(session: Session, check_id: str, attempt: int, state: str, progress: float, lease_seconds: float) -> bool:
    if state not in RUNNING:
        raise ValueError(f"{state!r} is not a state of a running check: {', '.join(RUNNING)}")
    return _change(
        session,
        _held(check_id, attempt),
        state=state, progress=progress, version=Check.version + 1, lease_until=epoch_now() + lease_seconds,
    )  # fmt: skip


def complete(session: Session, check_id: str, attempt: int, verdict_id: str, cache: str | None) -> bool:
    """Part of the transaction that writes the verdict; on `False` the caller rolls all of it back."""
    return _end(session, _held(check_id, attempt), "complete", progress=1.0, verdict_id=verdict_id, cache=cache)


def fail(session: Session, check_id: str, attempt: int, error: UnmaskError) -> bool:
    return _end(session, _held(check_id, attempt), "failed", error=error.to_json())


def release(session: Session, check_id: str, attempt: int, *, alone: bool) -> bool:
    """Put it back through no fault of its own: the worker is shutting down."""
    return _change(session, _held(check_id, attempt), **_back(alone))


def defer(session: Session, check: Check, attempt: int, error: UnmaskError, *, alone: bool) -> bool:
    """Put it back until later, or fail it when that was tried `MAX_DEFERRALS` times. The row remembers why it waits."""
    times = int(((check.error or {}).get("details") or {}).get("deferred", 0)) + 1
    if times > MAX_DEFERRALS:
        return fail(session, check.id, attempt, error)
    why = error.to_json()
    why["details"] = {**why["details"], "deferred": times}
    later = epoch_now() + float(2 ** (times - 1))
    return _change(session, _held(check.id, attempt), **_back(alone), not_before=later, error=why)


def reconcile(session: Session, max_attempts: int) -> Returned:
    """Checks whose lease ran out. Safe from many processes at once."""
    return _return(session, Check.lease_until < epoch_now(), max_attempts)


def any_expired(session: Session) -> bool:
    """Asked with a read first, so that idle processes do not queue for SQLite's one write lock."""
    return bool(session.scalar(select(exists().where(Check.state.in_(RUNNING), Check.lease_until < epoch_now()))))


def requeue_owner(session: Session, owner: str, max_attempts: int) -> Returned:
    """The process of that name is dead: its checks need not wait for their leases to run out."""
    return _return(session, Check.owner == owner, max_attempts)


def requeue_all(session: Session, max_attempts: int) -> Returned:
    """At the start of an embedded server, when nobody else can own anything."""
    return _return(session, Check.owner.is_not(None), max_attempts)


def _waiting() -> ColumnElement[bool]:
    return and_(Check.state == QUEUED, Check.not_before <= epoch_now())


def _due(max_attempts: int) -> ColumnElement[bool]:
    expired = and_(
        Check.state.in_(RUNNING), Check.lease_until < epoch_now(), Check.alone_attempts < max_attempts
    )  # fmt: skip
    return or_(_waiting(), expired)


def _held(check_id: str, attempt: int) -> ColumnElement[bool]:
    return and_(Check.id == check_id, Check.attempt == attempt, Check.state.in_(RUNNING))


def _back(alone: bool) -> dict[str, Any]:
    """What makes a running check a waiting one; an attempt alone that killed nobody is not counted against it."""
    return {
        "state": QUEUED, "owner": None, "lease_until": 0.0, "progress": 0.0, "version": Check.version + 1,
        "alone_attempts": Check.alone_attempts - int(alone),
    }  # fmt: skip


def _return(session: Session, whose: ColumnElement[bool], max_attempts: int) -> Returned:
    lost = and_(Check.state.in_(RUNNING), whose)
    given_up = _end_many(
        session, and_(lost, Check.alone_attempts >= max_attempts), "failed", error=WorkerLost().to_json()
    )
    again = update(Check).where(lost).values(**_back(alone=False)).returning(Check.id)
    queued = session.scalars(again.execution_options(synchronize_session=False)).all()
    return Returned(queued, given_up)


def _change(session: Session, where: ColumnElement[bool], **values: Any) -> bool:
    statement = update(Check).where(where).values(**values).returning(Check.id)
    return session.scalar(statement.execution_options(synchronize_session=False)) is not None


def _end(session: Session, where: ColumnElement[bool], state: str, **values: Any) -> bool:
    return bool(_end_many(session, where, state, **values))


def _end_many(session: Session, where: ColumnElement[bool], state: str, **values: Any) -> Sequence[str]:
    """A final state: nobody owns the check any more, and the same wish may be made anew."""
    ended: dict[str, Any] = {
        "state": state, "version": Check.version + 1, "finished_at": utc_now(), "dedupe": None, "owner": None,
        "lease_until": 0.0, "error": None,
    }  # fmt: skip
    statement = update(Check).where(where).values(**(ended | values)).returning(Check.id)
    return session.scalars(statement.execution_options(synchronize_session=False)).all()
