"""Private look-up: browsers keep the list of known keys, and ask, when at all, by a prefix that many keys share."""

from __future__ import annotations

from flask import Response, make_response

from server.store import prefixes
from server.verdict import LABELS
from server.web.api.blueprint import json_response, resource, with_etag
from server.web.api.schemas import BucketBody, PrefixPath, SinceQuery
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
    responses={200: _LIST, 304: {"description": "The list has not changed."}},
    openapi_extensions={"x-labels": list(LABELS)},
)
@needs("lookup", limit="lookups")
def key_list(query: SinceQuery) -> Response:
    """The compact list of known keys, whole or since a generation"""
    with services().database.read() as session:
        now = prefixes.state(session)
        etag = f"{now.etag}-{'all' if query.since is None else query.since}"
        held = with_etag(make_response(b""), etag)
        if held.status_code == 304:
            return _cacheable(held)
        content = prefixes.encode(session, now, query.since)
    response = Response(content, mimetype="application/octet-stream")
    response.set_etag(etag)
    return _cacheable(response)


@api.get("/verdicts/by-prefix/<string:prefix>", responses={200: BucketBody})
@needs("lookup", limit="lookups")
def bucket(path: PrefixPath) -> Response:
    """The known keys that begin with a prefix: their endings and labels, never addresses

    Ask by as many hex digits as the list's header says (`bucket_digits`): about 20 known keys or more share them. A
    longer prefix is refused."""
    with services().database.read() as session:
        now = prefixes.state(session)
        found = prefixes.bucket(session, path.prefix.lower(), now)
    body = {"prefix": path.prefix.lower(), "bucket_digits": now.bucket_digits, "keys": found}
    return _cacheable(with_etag(json_response(body)))


def _cacheable(response: Response) -> Response:
    """Everybody's token gets the same answer, but only who has one: private, short."""
    response.headers["Cache-Control"] = f"private, max-age={_MAX_AGE}"
    return response
