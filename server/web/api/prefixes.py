"""Private look-up: browsers keep the list of known keys, and ask, when at all, by a prefix that many keys share."""

from __future__ import annotations

from flask import Response

from server.store import prefixes
from server.verdict import LABELS
from server.web.api.blueprint import json_response, resource, with_etag
from server.web.api.schemas import BucketBody, ErrorBody, PrefixPath, SinceQuery
from server.web.auth import needs
from server.web.services import services

api = resource("prefixes", "Labels for a browser that tells nobody where it is", tag="private look-up")

_LIST = {
    "description": (
        "Binary. Header of 16 bytes: `UMKL`; format (1); bits of a key (64 or 32); hex digits a bucket is asked by; "
        "flags (1 = a delta); the generation to pass as `since`, unsigned 64-bit big-endian. Then the entries, "
        "sorted: with 64-bit keys the first 8 bytes of sha256(canonical address) and one byte, the label's place in "
        "`x-labels`; with 32-bit keys 4 bytes. Below 100,000 known keys they are 64-bit, and nothing else needs "
        "to be asked. A delta adds to or overrides what you hold; when its key bits differ from yours, fetch the "
        "whole list."
    ),
    "content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}},
}
_MAX_AGE = 60


@api.get(
    "/verdicts/prefixes",
    responses={200: _LIST, 304: {"description": "The list has not changed."}, 503: ErrorBody},
    openapi_extensions={"x-labels": list(LABELS)},
)
@needs("lookup", limit="lookups")
def key_list(query: SinceQuery) -> Response:
    """The compact list of known keys, whole or since a generation"""
    lists = services().lists
    if query.since is None:
        whole = lists.whole()
        return _binary(whole.content, f"{whole.state.etag}-all")
    state, content = lists.since(query.since)
    return _binary(content, f"{state.etag}-{query.since}")


@api.get("/verdicts/by-prefix/<string:prefix>", responses={200: BucketBody})
@needs("lookup", limit="lookups")
def bucket(path: PrefixPath) -> Response:
    """The known keys that begin with a prefix: their endings and labels, never addresses

    Ask by as many hex digits as the list's header says (`bucket_digits`): about 20 known keys or more share them. A
    longer prefix is refused."""
    now = services().lists.state()
    with services().database.read() as session:
        found = prefixes.bucket(session, path.prefix.lower(), now)
    body = {"prefix": path.prefix.lower(), "bucket_digits": now.bucket_digits, "keys": found}
    return _cacheable(with_etag(json_response(body)))


def _binary(content: bytes, etag: str) -> Response:
    return _cacheable(with_etag(Response(content, mimetype="application/octet-stream"), etag))


def _cacheable(response: Response) -> Response:
    """Everybody's token gets the same answer, but only who has one: private, short."""
    response.headers["Cache-Control"] = f"private, max-age={_MAX_AGE}"
    return response
