"""Asking for a check, following it, taking the wish back."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from flask import Response
from sqlalchemy import select
from sqlalchemy.orm import Session

from server.errors import NotFound
from server.identity import keys
from server.store import checks, verdicts
from server.store.checks import Wish
from server.store.db import iso
from server.store.tables import Check, CheckRequest, VerdictRow
from server.store.verdicts import Known
from server.verdict import ACTIVE_STATES, answers
from server.web.api import form
from server.web.api.blueprint import json_response, resource, with_etag
from server.web.api.schemas import CheckBody, CheckPath, ChecksBody, PageQuery
from server.web.api.submission import discard, idempotency_key, received
from server.web.auth import caller, needs
from server.web.services import services
from server.web.streams import progress

api = resource("checks", "Having media checked")


@api.post("/checks", responses=form.ANSWERS, openapi_extensions={"requestBody": form.REQUEST_BODY})
@needs("check", limit="checks")
def ask() -> Response:
    """Ask for a check of an address or of a file

    Answers 202 with the check, or 200 with the verdict where one stands. The same address or the same bytes asked
    for by many at once make one check. With an `Idempotency-Key` the same request may be sent again safely."""
    key = idempotency_key()
    with received() as wish:
        with services().database.write() as session:
            known = _standing(session, wish, key)
            answer, created = _cached(session, wish, known) if known else _accepted(session, wish, key)
        if created is None and wish.spooled is not None:
            discard(wish.spooled)  # the verdict stands, or another check already has these bytes
    if created is not None:
        services().announce(created)
    return answer


@api.get("/checks", responses={200: ChecksBody})
@needs("check", limit="lookups")
def mine(query: PageQuery) -> Response:
    """My checks, newest first"""
    with services().database.read() as session:
        rows = checks.mine(session, caller().user_id, limit=query.limit + 1, after=query.after)
        page = rows[: query.limit]
        labels = _labels(session, page)
        shown = [
            body | labels.get(row.verdict_id or "", {}) for row, body in zip(page, _bodies(session, page), strict=True)
        ]
        body = {"checks": shown, "next": page[-1].id if len(rows) > len(page) else None}
    return json_response(body)


@api.get("/checks/<string:check_id>", responses={200: CheckBody, 304: {"description": "Nothing has changed."}})
@needs("check", limit="lookups")
def one(path: CheckPath) -> Response:
    """How a check is doing, and its verdict once it is complete"""
    with services().database.read() as session:
        return with_etag(json_response(_with_verdict(session, visible(session, path.check_id))))


@api.delete("/checks/<string:check_id>", responses={200: CheckBody})
@needs("check", limit="checks")
def withdraw(path: CheckPath) -> Response:
    """Take my request back; a check that nobody wants any more is cancelled"""
    with services().database.write() as session:
        return json_response(_body(session, checks.withdraw(session, path.check_id, caller().user_id)))


def visible(session: Session, check_id: str) -> Check:
    """404, not 403: that somebody asked for something is nobody else's business."""
    person = caller()
    if not (person.may("moderate") or checks.may_see(session, check_id, person.user_id)):
        raise NotFound("There is no check of that id.")
    return checks.get(session, check_id)


def _standing(session: Session, wish: Wish, key: str | None) -> Known | None:
    """The verdict that answers without a run: of these bytes, or of this address as long as it need not be asked."""
    if wish.force or (key is not None and _asked_before(session, key)):
        return None
    now, variant = services().clock(), wish.options.variant
    if wish.sha256 is not None:
        known = verdicts.by_hash(session, wish.sha256, variant)
    else:
        known = verdicts.by_url(session, wish.url_key or b"", variant)
    if known is None or verdicts.is_stale(known.verdict, pipeline=services().pipeline(), now=now):
        return None
    if not answers(known.verdict.body["coverage"]["acquisition"], wish.acquisition):
        return None
    return known if known.location is None or known.location.expires_at > now else None


def _asked_before(session: Session, key: str) -> bool:
    """The first answer to this key was a check; the second one is the same check."""
    mine = select(CheckRequest.id).where(CheckRequest.user_id == caller().user_id, CheckRequest.idempotency_key == key)
    return session.scalar(mine) is not None


def _cached(session: Session, wish: Wish, known: Known) -> tuple[Response, None]:
    if wish.sha256 is not None:
        checks.remember(session, known.media.id, caller().user_id, wish.claimed_url)
    return json_response(_present(known, "sha256" if wish.sha256 else "url", services().clock())), None


def _accepted(session: Session, wish: Wish, key: str | None) -> tuple[Response, str | None]:
    """The answer, and the id of the check when it is new."""
    limit = services().settings.queue_limit
    made = checks.submit(session, wish, caller().user_id, queue_limit=limit, idempotency_key=key)
    response = json_response(_with_verdict(session, made.check), 202)
    response.headers["Location"] = f"/api/v1/checks/{made.check.id}"
    return response, made.check.id if made.created else None


def _with_verdict(session: Session, check: Check) -> dict[str, Any]:
    body, now = _body(session, check), services().clock()
    if check.verdict_id is not None:
        known = verdicts.get(session, check.verdict_id)
        body |= {"label": known.verdict.label, "probability": known.verdict.probability}
        body["verdict"] = _present(known, check.cache, now)
    elif check.state in ACTIVE_STATES and (before := _before(session, check)) is not None:
        body["previous"] = _present(before, None, now) | {"stale": True}
    return body


def _before(session: Session, check: Check) -> Known | None:
    if check.sha256 is not None:
        return verdicts.by_hash(session, check.sha256, check.variant)
    asked = check.media_url or check.url
    return verdicts.by_url(session, keys(asked).canonical, check.variant) if asked else None


def _present(known: Known, cache: str | None, now: datetime) -> dict[str, Any]:
    return verdicts.present(known, pipeline=services().pipeline(), cache=cache, now=now)


def _labels(session: Session, rows: Sequence[Check]) -> dict[str, dict[str, Any]]:
    wanted = select(VerdictRow.id, VerdictRow.label, VerdictRow.probability)
    found = session.execute(wanted.where(VerdictRow.id.in_([row.verdict_id for row in rows if row.verdict_id])))
    return {row.id: {"label": row.label, "probability": row.probability} for row in found}


def _body(session: Session, check: Check) -> dict[str, Any]:
    return _bodies(session, [check])[0]


def _bodies(session: Session, rows: Sequence[Check]) -> list[dict[str, Any]]:
    own = checks.wishes(session, [row.id for row in rows], caller().user_id)
    return [_shown(row, own.get(row.id)) for row in rows]


def _shown(check: Check, own: CheckRequest | None) -> dict[str, Any]:
    """With the address that the reader gave; a moderator who asked for nothing sees the one that is fetched."""
    return {
        "id": check.id,
        **progress(check.state, check.progress),
        "source": check.source,
        "url": own.url if own else check.url,
        "claimed_url": own.claimed_url if own else None,
        "acquisition": check.acquisition,
        "options": check.options,
        "created_at": iso(check.created_at),
        "finished_at": iso(check.finished_at),
        "label": None,
        "probability": None,
        "verdict": None,
        "previous": None,
        "error": check.error if check.state == "failed" else None,
        "delayed": check.error if check.state == "queued" else None,
    }
