"""Evidence pictures. Those of an upload are for who uploaded it and for moderators."""

from __future__ import annotations

from flask import Response
from sqlalchemy.orm import Session

from server.errors import NotFound
from server.store import checks, evidence
from server.store.evidence import Picture
from server.web.api.blueprint import resource
from server.web.api.schemas import EvidencePath
from server.web.auth import caller, needs
from server.web.services import services

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
        _may_see(session, found)
    content = services().evidence.read(found.id)
    response = Response(content, mimetype=found.mime)
    response.headers["Cache-Control"] = "private, max-age=31536000, immutable"
    response.headers["Content-Security-Policy"] = "sandbox; default-src 'none'; frame-ancestors 'none'"
    return response


def _may_see(session: Session, found: Picture) -> None:
    """404, not 403: that a private picture exists is private too."""
    person = caller()
    if not (found.public or person.may("moderate") or checks.asked_for(session, found.media_id, person.user_id)):
        raise NotFound("There is no picture of that id.")
