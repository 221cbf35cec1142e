"""Checks and the wishes for them: many people asking for the same thing make one job.

Nothing here commits: it happens in the caller's `database.write()`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Select, case, exists, func, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from server.errors import KeyReused, NotFound, QueueFull
from server.options import DEFAULT, PRIORITIES, Options
from server.store.db import utc_now
from server.store.tables import Check, CheckRequest, VerdictRow, new_id
from server.verdict import ACTIVE_STATES


@dataclass(frozen=True)
class Wish:
    """What one person asks to have checked: an address, or bytes already spooled under `spooled`."""

    source: str  # url | file | frames
    acquisition: str
    options: Options = DEFAULT
    priority: str = "interactive"
    force: bool = False
    url: str | None = None
    url_key: bytes | None = None
    page_url: str | None = None
    media_url: str | None = None
    sha256: str | None = None
    spooled: str | None = None
    claimed_url: str | None = None

    @property
    def dedupe(self) -> str:
        subject = self.sha256 or f"{(self.url_key or b'').hex()} {self.media_url or ''}"
        parts = [self.source, subject, self.acquisition, self.options.variant, str(self.force)]
        return hashlib.sha256("\0".join(parts).encode()).hexdigest()


@dataclass(frozen=True)
class Submitted:
    check: Check
    created: bool  # False: joined a check that was already under way, or the same idempotency key came again


def submit(
    session: Session, wish: Wish, user_id: str, *, queue_limit: int, idempotency_key: str | None = None
) -> Submitted:
    if (again := _by_idempotency(session, wish, user_id, idempotency_key)) is not None:
        return Submitted(again, created=False)
    try:
        with session.begin_nested():
            return _submit(session, wish, user_id, queue_limit, idempotency_key)
    except IntegrityError:  # PostgreSQL: the same key came twice at once, and the other one was first
        if (again := _by_idempotency(session, wish, user_id, idempotency_key)) is None:
            raise
        return Submitted(again, created=False)


def _submit(session: Session, wish: Wish, user_id: str, queue_limit: int, idempotency_key: str | None) -> Submitted:
    created = False
    while (check_id := _join(session, wish)) is None:
        if _waiting(session) >= queue_limit:
            raise QueueFull(retry_after=30)
        created = _insert(session, wish)
    session.add(
        CheckRequest(
            check_id=check_id, user_id=user_id, idempotency_key=idempotency_key, wish=wish.dedupe, url=wish.url,
            claimed_url=wish.claimed_url,
        )
    )  # fmt: skip
    session.flush()
    return Submitted(get(session, check_id), created)


def get(session: Session, check_id: str) -> Check:
    check = session.get(Check, check_id, populate_existing=True)
    if check is None:
        raise NotFound("There is no check of that id.")
    return check


def may_see(session: Session, check_id: str, user_id: str) -> bool:
    wanted = exists().where(CheckRequest.check_id == check_id, CheckRequest.user_id == user_id)
    return bool(session.scalar(select(wanted)))


def wishes(session: Session, check_ids: Sequence[str], user_id: str) -> dict[str, CheckRequest]:
    """This person's own wish for each of these checks, the newest where there are several."""
    mine = select(CheckRequest).where(CheckRequest.check_id.in_(check_ids), CheckRequest.user_id == user_id)
    return {wish.check_id: wish for wish in session.scalars(mine.order_by(CheckRequest.created_at, CheckRequest.id))}


def asked_for(session: Session, media_id: str, user_id: str) -> bool:
    """Has this person asked for a check that ended in a verdict on this media? Then its pictures are theirs to see."""
    wanted = _requests_about(media_id).where(CheckRequest.user_id == user_id)
    return session.scalar(wanted.limit(1)) is not None


def remember(session: Session, media_id: str, user_id: str, claimed_url: str | None = None) -> None:
    """Somebody who brought the same bytes was answered from the cache: they may see what the first one may."""
    if asked_for(session, media_id, user_id):
        return
    newest = _requests_about(media_id).order_by(CheckRequest.created_at.desc()).limit(1)
    if (check_id := session.scalar(newest)) is not None:
        session.add(CheckRequest(check_id=check_id, user_id=user_id, claimed_url=claimed_url))


def _requests_about(media_id: str) -> Select[str]:
    return (
        select(CheckRequest.check_id)
        .join(Check, Check.id == CheckRequest.check_id)
        .join(VerdictRow, VerdictRow.id == Check.verdict_id)
        .where(VerdictRow.media_id == media_id)
    )


def mine(session: Session, user_id: str, *, limit: int, after: str | None = None) -> Sequence[Check]:
    """A person's checks, newest wish first; `after` is the id of the last check of the page before."""
    newest = (
        select(CheckRequest.check_id, func.max(CheckRequest.created_at).label("asked"))
        .where(CheckRequest.user_id == user_id, CheckRequest.withdrawn_at.is_(None))
        .group_by(CheckRequest.check_id)
        .subquery()
    )
    rows = select(Check).join(newest, newest.c.check_id == Check.id)
    if after is not None:
        edge = session.scalar(select(newest.c.asked).where(newest.c.check_id == after))
        if edge is None:
            raise NotFound("The page to continue from is gone. Start again without `after`.")
        rows = rows.where((newest.c.asked < edge) | ((newest.c.asked == edge) & (Check.id < after)))
    return session.scalars(rows.order_by(newest.c.asked.desc(), Check.id.desc()).limit(limit)).all()


def withdraw(session: Session, check_id: str, user_id: str, now: datetime | None = None) -> Check:
    """Takes one person's wish back; the last one out cancels the check."""
    gone = session.execute(
        update(CheckRequest)
        .where(CheckRequest.check_id == check_id, CheckRequest.user_id == user_id, CheckRequest.withdrawn_at.is_(None))
        .values(withdrawn_at=now or utc_now())
        .returning(CheckRequest.id)
    ).all()
    if not gone:
        raise NotFound("There is no request of yours for that check.")
    # PostgreSQL: whoever joins or leaves at this moment holds this row, and is seen by the next statement only.
    session.execute(update(Check).where(Check.id == check_id).values(version=Check.version + 1))
    still_wanted = exists().where(CheckRequest.check_id == check_id, CheckRequest.withdrawn_at.is_(None))
    session.execute(
        update(Check)
        .where(Check.id == check_id, Check.state.in_(ACTIVE_STATES), ~still_wanted)
        .values(state="cancelled", dedupe=None, finished_at=utc_now(), version=Check.version + 1)
    )
    return get(session, check_id)


def _by_idempotency(session: Session, wish: Wish, user_id: str, key: str | None) -> Check | None:
    if key is None:
        return None
    before = session.scalar(
        select(CheckRequest).where(CheckRequest.user_id == user_id, CheckRequest.idempotency_key == key)
    )
    if before is None:
        return None
    if before.wish != wish.dedupe:
        raise KeyReused
    return get(session, before.check_id)


def _waiting(session: Session) -> int:
    return session.scalar(select(func.count()).select_from(Check).where(Check.state == "queued")) or 0


def _join(session: Session, wish: Wish) -> str | None:
    """The live check for this wish, moved forward in the queue when this one is more urgent."""
    urgent = PRIORITIES[wish.priority]
    return session.scalar(
        update(Check)
        .where(Check.dedupe == wish.dedupe, Check.state.in_(ACTIVE_STATES))
        .values(
            priority=case((Check.priority > urgent, urgent), else_=Check.priority),
            version=Check.version + 1,
        )
        .returning(Check.id)
    )


def _insert(session: Session, wish: Wish) -> bool:
    """One row for any number of simultaneous wishes: the unique dedupe key decides, and the loser joins the winner."""
    insert = sqlite.insert if session.get_bind().dialect.name == "sqlite" else postgresql.insert
    made = session.scalar(
        insert(Check)
        .values(
            id=new_id(),
            dedupe=wish.dedupe,
            source=wish.source,
            url=wish.url,
            page_url=wish.page_url,
            media_url=wish.media_url,
            sha256=wish.sha256,
            spooled=wish.spooled,
            acquisition=wish.acquisition,
            options=wish.options.to_json(),
            variant=wish.options.variant,
            force=wish.force,
            priority=PRIORITIES[wish.priority],
            state="queued",
        )
        .on_conflict_do_nothing(index_elements=[Check.dedupe])
        .returning(Check.id)
    )
    return made is not None
