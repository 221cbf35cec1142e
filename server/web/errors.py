"""Every error leaves in one shape: `{"error": {"code", "message", "details", "request_id"}}`; pages show the same."""

from __future__ import annotations

import errno
from typing import Any
from urllib.parse import quote

import structlog
from flask import Flask, Response, g, jsonify, redirect, render_template, request
from flask_limiter.errors import RateLimitExceeded
from flask_wtf.csrf import CSRFError
from pydantic import ValidationError
from werkzeug.exceptions import HTTPException
from werkzeug.wrappers import Response as AnyResponse

from server.errors import BadRequest, CsrfFailed, RateLimited, StorageFull, Unauthorized, UnmaskError
from server.web.limits import seconds_left
from server.web.services import services

log = structlog.get_logger("unmask.web")

# What the framework refuses before any of our code runs; statuses not listed here keep the framework's own words.
_HTTP = {
    400: ("invalid_request", "The request is not valid."),
    404: ("not_found", "There is nothing at this address."),
    405: ("method_not_allowed", "This address does not answer to that method."),
    413: ("too_large", "The request is larger than this server accepts."),
    415: ("unsupported_media_type", "Send JSON (Content-Type: application/json) or a form (multipart/form-data)."),
}


def install(app: Flask) -> None:
    app.register_error_handler(UnmaskError, _typed)
    app.register_error_handler(RateLimitExceeded, _limited)
    app.register_error_handler(CSRFError, _form_out_of_date)
    app.register_error_handler(HTTPException, _http)
    app.register_error_handler(OSError, _system)
    app.register_error_handler(Exception, _unexpected)


def from_validation(error: ValidationError) -> BadRequest:
    """The callback of flask-openapi3, and of our own bodies: which field, and what is wrong with it."""
    fields = [
        {"field": ".".join(str(part) for part in item["loc"]) or "(body)", "problem": item["msg"]}
        for item in error.errors(include_url=False, include_input=False, include_context=False)
    ]
    first = fields[0] if fields else {"field": "(body)", "problem": "not valid"}
    return BadRequest(f"{first['field']}: {first['problem']}.", details={"fields": fields[:20]})


def refuse_invalid(error: ValidationError) -> Response:
    raise from_validation(error)


def _typed(error: UnmaskError) -> AnyResponse:
    if isinstance(error, Unauthorized) and not _wants_json() and request.method == "GET":
        return redirect(f"/login?next={quote(request.full_path.rstrip('?'))}")
    response = _answer(error.status, error.code, error.message, error.details)
    if error.retry_after is not None:
        response.headers["Retry-After"] = str(error.retry_after)
    if isinstance(error, Unauthorized):
        response.headers["WWW-Authenticate"] = "Bearer"
    return response


def _limited(error: RateLimitExceeded) -> AnyResponse:
    return _typed(RateLimited(details={"limit": str(error.limit.limit)}, retry_after=seconds_left()))


def _form_out_of_date(error: CSRFError) -> AnyResponse:
    return _typed(CsrfFailed())


def _http(error: HTTPException) -> AnyResponse:
    status = error.code or 500
    code, message = _HTTP.get(status, (error.name.lower().replace(" ", "_"), error.description or error.name))
    response = _answer(status, code, message, {})
    if status == 405:
        response.headers["Allow"] = ", ".join(sorted(error.valid_methods or []))  # type: ignore[attr-defined]
    return response


def _system(error: OSError) -> AnyResponse:
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return _typed(StorageFull())
    return _unexpected(error)


def _unexpected(error: Exception) -> AnyResponse:
    """The request edge: the traceback goes to the log, the code to quote to the caller."""
    log.error("unexpected", id=g.get("request_id"), exc_info=error)
    return _answer(500, UnmaskError.code, UnmaskError.message, {})


def _answer(status: int, code: str, message: str, details: dict[str, Any]) -> Response:
    request_id = g.get("request_id")
    services().metrics.errors.labels(code).inc()
    if _wants_json():
        body = {"code": code, "message": message, "details": details, "request_id": request_id}
        response = jsonify(error=body)
    else:
        page = render_template("error.html", code=code, message=message, request_id=request_id)
        response = Response(page, mimetype="text/html")
    response.status_code = status
    return response


def _wants_json() -> bool:
    if request.path.startswith("/api/") and request.path != "/api/docs":
        return True
    return request.accept_mimetypes.best_match(["application/json", "text/html"], default="text/html") != "text/html"
