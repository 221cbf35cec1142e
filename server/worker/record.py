"""From an analysis to rows and pictures, all in one transaction that the lease's attempt fences."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

from sqlalchemy import case, func, or_
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from models import pdq
from models.types import Analysis, MediaInfo
from server import verdict as rules
from server.store import hashes, leases, verdicts
from server.store.db import utc_now
from server.store.tables import AnalysisRow, Check, DetectorResult, Evidence, Location, Media, new_id
from server.worker import arrive, judged
from server.worker.arrive import Address, Arrived
from server.worker.lease import Lease, LeaseLost
from server.worker.tools import Tools


def answered(check: Check, lease: Lease, tools: Tools, arrived: Arrived) -> None:
    """The verdict stood already: only where the bytes were seen, and that the check is over, is written."""
    assert arrived.known is not None
    with tools.database.write() as session:
        _end_with(session, check, lease, tools, arrived, arrived.known, arrived.cache)


def finished(check: Check, lease: Lease, tools: Tools, arrived: Arrived, info: MediaInfo, analysis: Analysis) -> None:
    with _pictures(tools) as pictures:
        segments = judged.segments(analysis, pictures.keep)
        forensics = judged.forensics(analysis, pictures.keep)
        looked, match = _looked(tools, arrived, info, analysis)
        with tools.database.write() as session:
            # First: on PostgreSQL those who finish the same bytes at once wait for each other at this row.
            media = _media(session, check, arrived, info)
            known = verdicts.by_hash(session, arrived.sha256, check.variant)
            if known and arrive.still_good(session, known, check, tools, utc_now()):
                # The same bytes, under another address, were finished while these were being judged.
                _end_with(session, check, lease, tools, arrived, known, "sha256")
                pictures.drop()
                return
            media.complete = media.complete or arrived.complete
            if arrived.complete:
                hashes.keep(session, media.id, looked)
            analysis_id = _analysis(session, check, lease, tools, media, analysis)
            session.add_all(
                Evidence(id=key, analysis_id=analysis_id, kind=kind, mime="image/jpeg", size=size)
                for key, kind, size in pictures.kept
            )
            made = verdicts.publish(
                session,
                media,
                variant=check.variant,
                pipeline=tools.analyzer.pipeline,
                body=judged.body(
                    analysis,
                    info,
                    thresholds=tools.thresholds,
                    pipeline=tools.analyzer.pipeline,
                    sha256=arrived.sha256,
                    # Who claims a capture of bytes that are known as a file does not cap what others are told of them.
                    acquisition=check.acquisition
                    if rules.answers(check.acquisition, media.acquisition)
                    else media.acquisition,
                    complete=arrived.complete,
                    segments=segments,
                    forensics=forensics,
                    match=match,
                ),
                analysis_id=analysis_id,
                keep=timedelta(days=tools.settings.verdict_days),
            )
            if arrived.address is not None:
                _locate(session, arrived.address, media.id, listed=check.variant == "")
            _complete(session, check, lease, made.id, None)


def _looked(
    tools: Tools, arrived: Arrived, info: MediaInfo, analysis: Analysis
) -> tuple[hashes.Looked, dict[str, Any] | None]:
    """What it looks like of what anybody may see: a verdict is shown to all who bring the same bytes."""
    seconds = [(t, seen.bits) for t, seen in analysis.hashes if seen.quality >= pdq.GOOD]
    with tools.database.read() as session:
        looked = hashes.look(session, arrived.sha256, info.kind, seconds, lambda media: media.public)
        return looked, hashes.match(session, looked)


def _end_with(
    session: Session, check: Check, lease: Lease, tools: Tools, arrived: Arrived, known: verdicts.Known,
    cache: str | None,
) -> None:  # fmt: skip
    if arrived.address is not None:
        _locate(session, arrived.address, known.media.id, listed=check.variant == "")
        session.query(Media).filter(Media.id == known.media.id, ~Media.public).update({"public": True})
    _complete(session, check, lease, known.verdict.id, cache)


def _complete(session: Session, check: Check, lease: Lease, verdict_id: str, cache: str | None) -> None:
    if not leases.complete(session, check.id, lease.attempt, verdict_id, cache):
        raise LeaseLost(f"check {check.id} attempt {lease.attempt}")


class _Pictures:
    """Evidence files written before their rows; whatever keeps the rows from being written takes the files back."""

    def __init__(self, tools: Tools) -> None:
        self._store = tools.evidence
        self.kept: list[tuple[str, str, int]] = []

    def keep(self, kind: str, content: bytes) -> str:
        key = new_id()
        self._store.put(key, content)
        self.kept.append((key, kind, len(content)))
        return f"/api/v1/evidence/{key}"

    def drop(self) -> None:
        for key, _, _ in self.kept:
            self._store.delete(key)
        self.kept.clear()


@contextmanager
def _pictures(tools: Tools) -> Iterator[_Pictures]:
    pictures = _Pictures(tools)
    try:
        yield pictures
    except BaseException:
        pictures.drop()
        raise


def _media(session: Session, check: Check, arrived: Arrived, info: MediaInfo) -> Media:
    """One row for the bytes, however many checks end at once; found at an address once, it is public for good."""
    fetched = check.acquisition == "download"
    insert = sqlite.insert if session.get_bind().dialect.name == "sqlite" else postgresql.insert
    statement = insert(Media).values(
        id=new_id(), sha256=arrived.sha256, kind=info.kind, mime=info.mime, size=arrived.size, width=info.width,
        height=info.height, duration=info.duration, complete=arrived.complete, public=fetched,
        acquisition=check.acquisition,
    )  # fmt: skip
    merged = statement.on_conflict_do_update(
        index_elements=[Media.sha256],
        set_={
            "public": or_(Media.public, statement.excluded.public),
            "acquisition": case(
                (Media.acquisition.in_(rules.CAPPED), statement.excluded.acquisition), else_=Media.acquisition
            ),
        },
    )
    return session.scalars(merged.returning(Media), execution_options={"populate_existing": True}).one()


def _analysis(session: Session, check: Check, lease: Lease, tools: Tools, media: Media, analysis: Analysis) -> str:
    row = AnalysisRow(
        media_id=media.id,
        pipeline=tools.analyzer.pipeline,
        variant=check.variant,
        check_id=check.id,
        attempt=lease.attempt,
        timings={stage: round(seconds, 4) for stage, seconds in analysis.timings.items()},
    )
    session.add(row)
    session.flush()
    session.add_all(
        DetectorResult(
            analysis_id=row.id, name=report.name, version=report.version, band=report.band, score=report.score,
            weight=report.weight, ms=report.ms, reason=report.reason,
        )
        for report in analysis.detectors
    )  # fmt: skip
    return row.id


def _locate(session: Session, address: Address, media_id: str, *, listed: bool) -> None:
    """The address answers with this media from now on, whatever it held before."""
    now = utc_now()
    insert = sqlite.insert if session.get_bind().dialect.name == "sqlite" else postgresql.insert
    statement = insert(Location).values(
        url_key=address.keys.canonical,
        exact_key=address.keys.exact,
        url=address.keys.fetch_url,
        media_id=media_id,
        etag=address.etag,
        last_modified=address.last_modified,
        fetched_at=now,
        downloaded_at=now if address.downloaded else None,
        expires_at=now + address.keep,
        listed_at=now if listed else None,
    )
    fresh: dict[str, Any] = {
        name: statement.excluded[name] for name in ("media_id", "etag", "last_modified", "fetched_at", "expires_at")
    }
    for name in ("downloaded_at", "listed_at"):  # what this run did not renew stays
        fresh[name] = func.coalesce(statement.excluded[name], getattr(Location, name))
    session.execute(statement.on_conflict_do_update(index_elements=[Location.url_key], set_=fresh))
