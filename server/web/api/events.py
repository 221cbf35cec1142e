"""The progress of a check as server-sent events."""

from __future__ import annotations

import socket
from collections.abc import Callable

from flask import Response, request

from server.web.api.blueprint import resource
from server.web.api.checks import visible
from server.web.api.schemas import CheckPath, ErrorBody
from server.web.auth import needs
from server.web.services import services

api = resource("events", "Having media checked, live")
_EVENTS = {
    "description": (
        "`event: progress` with JSON data `{state, stage, progress}`, at once and on every change; a comment every "
        "15 s keeps the connection open. Ends when the check is final, or after 5 minutes: then ask again."
    ),
    "content": {"text/event-stream": {"schema": {"type": "string"}}},
}


@api.get("/checks/<string:check_id>/events", responses={200: _EVENTS, 503: ErrorBody}, endpoint="events")
@needs("check", limit="lookups")
def events(path: CheckPath) -> Response:
    """Follow a check: state, stage, progress

    `EventSource` cannot send the headers this API asks for: read it with `fetch`."""
    with services().database.read() as session:
        visible(session, path.check_id)
    stream = services().streams.open(path.check_id, _left(request.environ.get("gunicorn.socket")))
    response = Response(stream, mimetype="text/event-stream")
    response.headers["X-Accel-Buffering"] = "no"
    return response


def _left(connection: socket.socket | None) -> Callable[[], bool]:
    """Looks whether the reader has closed the connection, without taking anything from it."""

    def left() -> bool:
        if connection is None:
            return False
        try:
            return connection.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT) == b""
        except BlockingIOError:
            return False
        except OSError:
            return True

    return left
