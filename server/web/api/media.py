"""Media by their hash: what looks like them."""

from __future__ import annotations

from flask import Response

from server.errors import NotFound
from server.store import hashes, verdicts
from server.web.api.blueprint import json_response, resource, with_etag
from server.web.api.schemas import HashPath, SimilarBody
from server.web.auth import needs
from server.web.services import services
from server.web.sight import may_see

api = resource("media", "Files, by their sha256")


@api.get("/media/<string:sha256>/similar", responses={200: SimilarBody})
@needs("lookup", limit="lookups")
def similar(path: HashPath) -> Response:
    """What looks nearly the same, among all you may see

    A face can be swapped with no more difference than this: none of these labels says anything of another item."""
    with services().database.read() as session:
        known = verdicts.by_hash(session, path.sha256.lower())
        if known is None:
            raise NotFound("Nothing is known of it yet. Ask for a check.")
        alike = hashes.similar(session, known.media, lambda media: may_see(session, media.id, media.public))
        return with_etag(json_response({"similar": hashes.described(session, alike)}))
