"""The detectors this server runs."""

from __future__ import annotations

from flask import Response

from server.web.api.blueprint import json_response, resource, with_etag
from server.web.api.schemas import ModelsBody
from server.web.auth import needs
from server.web.services import services

api = resource("models", "What does the judging")


@api.get("/models", responses={200: ModelsBody})
@needs("lookup", limit="lookups")
def catalogue() -> Response:
    """The detectors, their versions and cards"""
    used = services()
    body = {
        "pipeline": used.pipeline(),
        "detectors": used.catalogue(),
        "unimported": used.unimported(),
        "measured": used.measured,
    }
    return with_etag(json_response(body))
