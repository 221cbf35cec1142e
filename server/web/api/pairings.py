"""A browser gets a token of its own for a code that a person types."""

from __future__ import annotations

from urllib.parse import urlsplit

from flask import Response, request

from server.errors import Denied, WrongCode
from server.store import pairings, people
from server.store.db import iso
from server.web.api.blueprint import json_body, json_response, resource
from server.web.api.schemas import PairedBody, PairingAsked
from server.web.auth import needs
from server.web.services import services

api = resource("pairings", "Connecting a browser")
_ASKED = {"application/json": {"schema": PairingAsked.model_json_schema()}}


@api.post(
    "/pairings",
    responses={201: PairedBody},
    openapi_extensions={"requestBody": {"required": True, "content": _ASKED}},
)
@needs("open", limit="logins")
def pair() -> Response:
    """Change a pairing code into a token, once

    The code comes from `unmask token pair`. A wrong one counts against every code that is open; after five they are
    void. Pages of the web are refused, so that none can use up the tries."""
    _no_web_page()
    asked, now = json_body(PairingAsked), services().clock()
    with services().database.write() as session:
        paired = pairings.redeem(session, asked.code, now)
        actor, action = (paired.user, "pairing.used") if paired else (None, "pairing.refused")
        people.audit(session, actor, action, address=request.remote_addr)
    if paired is None:
        raise WrongCode
    body = {
        "token": paired.secret, "user": paired.user, "role": paired.role, "scopes": list(paired.scopes),
        "expires_at": iso(paired.expires_at),
    }  # fmt: skip
    return json_response(body, 201)


def _no_web_page() -> None:
    """Browsers say where a request comes from; extensions and programs are no page."""
    origin = request.headers.get("Origin")
    if origin is not None and not urlsplit(origin).scheme.endswith("-extension"):
        raise Denied("A browser is connected from the options of its extension, not from a page.")
