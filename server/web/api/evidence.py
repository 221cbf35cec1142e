"""Evidence pictures. Those of an upload are for who uploaded it and for moderators."""

from __future__ import annotations

from flask import Response

from server.errors import NotFound
from server.store import evidence
from server.web.api.blueprint import resource
from server.web.api.schemas import EvidencePath
from server.web.auth import needs
from server.web.services import services
from server.web.sight import may_see

api = resource("evidence", "The pictures a verdict rests on")
_PICTURE = {
    "description": "The picture.",
    "content": {"image/jpeg": {"schema": {"type": "string", "format": "binary"}}},
}


@api.get("/evidence/<string:evidence_id>", responses={200: _PICTURE})
@needs("check")
def picture(path: EvidencePath) -> Response:
    """A face crop, a heatmap or a frame"""
    with services().database.read() as session:
        found = evidence.find(session, path.evidence_id)
        if not may_see(session, found.media_id, found.public):  # 404, not 403: that it exists is private too
            raise NotFound("There is no picture of that id.")
    content = services().evidence.read(found.id)
    response = Response(content, mimetype=found.mime)
    response.headers["Cache-Control"] = "private, max-age=31536000, immutable"
    response.headers["Content-Security-Policy"] = "sandbox; default-src 'none'; frame-ancestors 'none'"
    return response
