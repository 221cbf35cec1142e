"""Looking verdicts up. Nothing here touches the network; an old verdict says that it is stale."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from flask import Response

from server.errors import BadRequest, NotFound, UnmaskError
from server.identity import keys
from server.store import verdicts
from server.store.db import iso
from server.store.tables import VerdictRow
from server.store.verdicts import Known
from server.web.api.blueprint import json_response, read_json, resource, with_etag
from server.web.api.schemas import (
    HashPath,
    HistoryBody,
    LookupAsked,
    LookupBody,
    UrlQuery,
    VerdictBody,
    VerdictPath,
)
from server.web.auth import needs
from server.web.services import services

MOST_URLS = 200
api = resource("verdicts", "What is known, by address, by hash, by id")


@api.get("/verdicts", responses={200: VerdictBody})
@needs("lookup", limit="lookups")
def by_url(query: UrlQuery) -> Response:
    """The verdict on what an address last held"""
    with services().database.read() as session:
        known = verdicts.by_url(session, keys(query.url).canonical)
        return _shown(known, "url")


@api.post(
    "/verdicts/lookup",
    responses={200: LookupBody},
    openapi_extensions={
        "requestBody": {"required": True, "content": {"application/json": {"schema": LookupAsked.model_json_schema()}}}
    },
)
@needs("lookup", limit="lookups")
def lookup() -> Response:
    """Short verdicts on up to 200 addresses, in their order

    An address that is not known, or that is no address, is answered with null."""
    url_keys = [_key(url) for url in _urls(read_json())]
    with services().database.read() as session:
        found = verdicts.summaries(session, {key for key in url_keys if key}, pipeline=services().pipeline())
    return json_response({"verdicts": [found.get(key) if key else None for key in url_keys]})


@api.get("/verdicts/by-hash/<string:sha256>", responses={200: VerdictBody})
@needs("lookup", limit="lookups")
def by_hash(path: HashPath) -> Response:
    """The verdict on a file, by its sha256"""
    with services().database.read() as session:
        return _shown(verdicts.by_hash(session, path.sha256.lower()), "sha256")


@api.get("/verdicts/<string:verdict_id>", responses={200: VerdictBody})
@needs("lookup", limit="lookups")
def by_id(path: VerdictPath) -> Response:
    """One version of a verdict"""
    with services().database.read() as session:
        return _shown(verdicts.get(session, path.verdict_id), None)


@api.get("/verdicts/<string:verdict_id>/history", responses={200: HistoryBody})
@needs("lookup", limit="lookups")
def history(path: VerdictPath) -> Response:
    """All versions of the verdict that this id is one of, newest first"""
    with services().database.read() as session:
        rows: Sequence[VerdictRow] = verdicts.history(session, path.verdict_id)
        return with_etag(json_response({"versions": [_version(row) for row in rows]}))


def _shown(known: Known | None, cache: str | None) -> Response:
    if known is None:
        raise NotFound("Nothing is known of it yet. Ask for a check.")
    used = services()
    body = verdicts.present(known, pipeline=used.pipeline(), cache=cache, now=used.clock())
    return with_etag(json_response(body))


def _version(row: VerdictRow) -> dict[str, Any]:
    return {
        "id": row.id,
        "version": row.version,
        "supersedes": row.supersedes,
        "current": row.current,
        "label": row.label,
        "basis": row.basis,
        "probability": row.probability,
        "pipeline": row.pipeline,
        "created_at": iso(row.created_at),
        "expires_at": iso(row.expires_at),
    }


def _urls(body: Any) -> list[Any]:
    """By hand: pydantic and the ORM would cost more than the look-up itself."""
    urls = body.get("urls") if isinstance(body, dict) else None
    if not isinstance(urls, list) or not 1 <= len(urls) <= MOST_URLS:
        raise BadRequest(f"`urls` is a list of 1 to {MOST_URLS} addresses.")
    return urls


def _key(url: Any) -> bytes | None:
    if not isinstance(url, str):
        return None
    try:
        return keys(url).canonical
    except UnmaskError:
        return None
