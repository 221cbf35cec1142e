"""From a check to bytes on disk: asks the address, or opens what was uploaded, and sees whether they are known."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from sqlalchemy.orm import Session

from server import identity
from server import verdict as rules
from server.errors import MediaGone
from server.fetch.sources import Fetched, NotModified
from server.store import verdicts
from server.store.db import utc_now
from server.store.tables import Check
from server.store.verdicts import Known
from server.worker.lease import Lease
from server.worker.media import MediaChild
from server.worker.tools import Tools

PLATFORM_KEEP = timedelta(days=7)  # a post of a known site keeps its content under its id
DOWNLOAD_AGAIN = timedelta(hours=24)  # a server that always says "not modified" is believed no longer than this
VOLATILE_KEEP = timedelta(minutes=10)  # the address carries a token that runs out

MOST_ETAG, MOST_DATE = 256, 64  # characters, as `locations` holds them; without a validator the whole is fetched again


@dataclass(frozen=True)
class Address:
    """Where the bytes were found; becomes a row of `locations`."""

    keys: identity.UrlKeys
    etag: str | None
    last_modified: str | None
    keep: timedelta
    downloaded: bool  # False: its server said that the bytes are still the same


@dataclass(frozen=True)
class Arrived:
    """Bytes that are here. `known` is set when their verdict already stands, and `cache` says how it was found."""

    path: Path
    sha256: str
    size: int
    mime: str
    complete: bool
    address: Address | None = None
    known: Known | None = None
    cache: str | None = None


def bring(check: Check, child: MediaChild, lease: Lease, tools: Tools) -> Arrived:
    return _fetched(check, child, lease, tools) if check.source == "url" else _uploaded(check, tools)


def still_good(session: Session, known: Known | None, check: Check, tools: Tools, now: datetime) -> bool:
    """May this verdict stand as the answer to this check?"""
    if known is None or check.force:
        return False
    if not rules.answers(known.verdict.body["coverage"]["acquisition"], check.acquisition):
        return False
    return not verdicts.is_stale(known.verdict, pipeline=tools.analyzer.pipeline, now=now)


def _uploaded(check: Check, tools: Tools) -> Arrived:
    path = tools.settings.spool / (check.spooled or "missing")
    if check.sha256 is None or not path.is_file():
        raise MediaGone
    arrived = Arrived(path, check.sha256, path.stat().st_size, "", complete=True)
    return _recognised(arrived, check, tools)


def _fetched(check: Check, child: MediaChild, lease: Lease, tools: Tools) -> Arrived:
    assert check.url is not None
    asked = check.media_url or check.url
    keys = identity.keys(asked)
    with tools.database.read() as session:
        before = verdicts.by_url(session, keys.canonical, check.variant)
        again = still_good(session, before, check, tools, utc_now())
    location = before.location if before is not None and again and _may_ask(before, utc_now()) else None
    answer = child.fetch(
        check.url,
        page_url=check.page_url,
        media_url=check.media_url,
        etag=location.etag if location else None,
        last_modified=location.last_modified if location else None,
        progress=lambda got, whole: lease.stage("fetching", got / whole if whole else 0.0),
    )
    if isinstance(answer, NotModified):
        assert before is not None, "304 is only answered to a validator, and that came with a verdict"
        media = before.media
        address = _address(answer, keys, tools)
        return Arrived(Path(), media.sha256, media.size, media.mime, media.complete, address, before, "url")
    return _recognised(_landed(answer, identity.keys(check.url) if answer.from_page else keys, tools), check, tools)


def _may_ask(before: Known, now: datetime) -> bool:
    """Is asking whether it changed enough? Not for half a file, whose validator stands for the whole one."""
    came = before.location.downloaded_at if before.location is not None else None
    return before.media.complete and came is not None and now - came < DOWNLOAD_AGAIN


def _landed(answer: Fetched, keys: identity.UrlKeys, tools: Tools) -> Arrived:
    address = _address(answer, keys, tools)
    return Arrived(answer.path, answer.sha256, answer.size, answer.mime, answer.complete, address)


def _address(answer: Fetched | NotModified, keys: identity.UrlKeys, tools: Tools) -> Address:
    etag, modified = answer.etag or "", answer.last_modified or ""
    return Address(
        keys,
        etag if 0 < len(etag) <= MOST_ETAG else None,
        modified if 0 < len(modified) <= MOST_DATE else None,
        _keep(keys, tools),
        downloaded=isinstance(answer, Fetched),
    )


def _recognised(arrived: Arrived, check: Check, tools: Tools) -> Arrived:
    """The same bytes were judged before, under another address or by somebody else."""
    with tools.database.read() as session:
        known = verdicts.by_hash(session, arrived.sha256, check.variant)
        if not arrived.complete or not still_good(session, known, check, tools, utc_now()):
            return arrived
    return Arrived(
        arrived.path, arrived.sha256, arrived.size, arrived.mime, arrived.complete, arrived.address, known, "sha256"
    )


def _keep(keys: identity.UrlKeys, tools: Tools) -> timedelta:
    if keys.platform:
        return PLATFORM_KEEP
    usual = timedelta(hours=tools.settings.url_hours)
    return min(usual, VOLATILE_KEEP) if keys.volatile else usual
