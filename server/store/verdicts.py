"""Verdicts: versions of what is known of a media, and the ways to look them up. Look-ups never touch the network."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from server.errors import NotFound
from server.store.db import iso, utc_now
from server.store.tables import Location, Media, VerdictRow

DEFAULT_VARIANT = ""


@dataclass(frozen=True)
class Known:
    """A verdict with its media, and the address it was found by when it was looked up by one."""

    verdict: VerdictRow
    media: Media
    location: Location | None = None


def get(session: Session, verdict_id: str) -> Known:
    found = session.execute(
        select(VerdictRow, Media).join(Media, Media.id == VerdictRow.media_id).where(VerdictRow.id == verdict_id)
    ).one_or_none()
    if found is None:
        raise NotFound("There is no verdict of that id.")
    return Known(found[0], found[1])


def history(session: Session, verdict_id: str) -> Sequence[VerdictRow]:
    """All versions of the verdict this id is one of, newest first."""
    verdict = get(session, verdict_id).verdict
    same = select(VerdictRow).where(VerdictRow.media_id == verdict.media_id, VerdictRow.variant == verdict.variant)
    return session.scalars(same.order_by(VerdictRow.version.desc())).all()


def by_hash(session: Session, sha256: str, variant: str = DEFAULT_VARIANT) -> Known | None:
    """Media that was cut short does not answer: its bytes are not what others mean by that hash."""
    found = session.execute(
        select(VerdictRow, Media)
        .join(Media, Media.id == VerdictRow.media_id)
        .where(Media.sha256 == sha256, Media.complete, VerdictRow.variant == variant, VerdictRow.current)
    ).one_or_none()
    return Known(found[0], found[1]) if found else None


def by_url(session: Session, url_key: bytes, variant: str = DEFAULT_VARIANT) -> Known | None:
    found = session.execute(
        select(VerdictRow, Media, Location)
        .join(Media, Media.id == VerdictRow.media_id)
        .join(Location, Location.media_id == Media.id)
        .where(Location.url_key == url_key, VerdictRow.variant == variant, VerdictRow.current)
    ).one_or_none()
    return Known(found[0], found[1], found[2]) if found else None


def summaries(
    session: Session, url_keys: Iterable[bytes], *, pipeline: str, now: datetime | None = None
) -> dict[bytes, dict[str, Any]]:
    """key -> {id, label, probability, checked_at, stale} for the addresses that are known; one statement for all."""
    now = now or utc_now()
    rows = session.execute(
        select(
            Location.url_key,
            VerdictRow.id,
            VerdictRow.label,
            VerdictRow.probability,
            VerdictRow.created_at,
            VerdictRow.expires_at,
            VerdictRow.pipeline,
            VerdictRow.basis,
        )
        .join(VerdictRow, VerdictRow.media_id == Location.media_id)
        .where(Location.url_key.in_(list(url_keys)), VerdictRow.variant == DEFAULT_VARIANT, VerdictRow.current)
    )
    return {
        bytes(key): {
            "id": verdict_id,
            "label": label,
            "probability": probability,
            "checked_at": iso(created),
            "stale": _stale(expires, made_by, basis, pipeline=pipeline, now=now),
        }
        for key, verdict_id, label, probability, created, expires, made_by, basis in rows
    }


def is_stale(verdict: VerdictRow, *, pipeline: str, now: datetime) -> bool:
    """Old, or made by a pipeline that is no longer the one in use. A human label does not age with the pipeline."""
    return _stale(verdict.expires_at, verdict.pipeline, verdict.basis, pipeline=pipeline, now=now)


def _stale(expires: datetime, made_by: str, basis: str, *, pipeline: str, now: datetime) -> bool:
    return expires <= now or (made_by != pipeline and basis != "human")


def present(known: Known, *, pipeline: str, cache: str | None = None, now: datetime | None = None) -> dict[str, Any]:
    """The verdict's JSON as documented: its unchanging body, its place among the versions, and how fresh it is."""
    verdict, location = known.verdict, known.location
    shown = {
        "id": verdict.id,
        "version": verdict.version,
        "supersedes": verdict.supersedes,
        "state": "complete",
        **verdict.body,
        "created_at": iso(verdict.created_at),
        "expires_at": iso(verdict.expires_at),
        "stale": is_stale(verdict, pipeline=pipeline, now=now or utc_now()),
        "cache": cache,
    }
    if location is not None:
        shown["fetched_at"] = iso(location.fetched_at)
    return shown


def publish(
    session: Session,
    media: Media,
    *,
    variant: str,
    pipeline: str,
    body: Mapping[str, Any],
    analysis_id: str | None,
    keep: timedelta,
) -> VerdictRow:
    """A new version takes the place of the current one. Look-ups see one or the other, never none."""
    # PostgreSQL: who publishes of the same media at this moment holds its row, and is seen by the next statement only.
    session.execute(update(Media).where(Media.id == media.id).values(public=Media.public))
    before = session.execute(
        update(VerdictRow)
        .where(VerdictRow.media_id == media.id, VerdictRow.variant == variant, VerdictRow.current)
        .values(current=False)
        .returning(VerdictRow.id, VerdictRow.version)
    ).one_or_none()
    now = utc_now()
    verdict = VerdictRow(
        media_id=media.id,
        analysis_id=analysis_id,
        variant=variant,
        version=before.version + 1 if before else 1,
        supersedes=before.id if before else None,
        current=True,
        pipeline=pipeline,
        label=body["label"],
        basis=body["basis"],
        probability=body["probability"],
        body=dict(body),
        created_at=now,
        expires_at=now + keep,
    )
    session.add(verdict)
    session.flush()
    if variant == DEFAULT_VARIANT:
        relist(session, media.id, now)
    return verdict


def relist(session: Session, media_id: str, now: datetime) -> None:
    """The addresses of this media enter the prefix list, or come again in its next delta with their new label."""
    session.execute(update(Location).where(Location.media_id == media_id).values(listed_at=now))


def counts(session: Session) -> dict[str, int]:
    """Current verdicts by label, for metrics."""
    rows = session.execute(select(VerdictRow.label, func.count()).where(VerdictRow.current).group_by(VerdictRow.label))
    return {row[0]: row[1] for row in rows}
