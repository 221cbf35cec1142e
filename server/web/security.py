"""What every request passes and every answer carries: Host check, CORS, headers, request ids, the access log.

A service on loopback is open to every page in the browser beside it. So the Host must be one of ours (DNS rebinding),
`Access-Control-Allow-Origin: *` never comes with credentials, and X-CSRF-Token, which would make the API believe a
cookie, is not a header that another origin may send.
"""

from __future__ import annotations

import os
import secrets
import time
from pathlib import Path
from urllib.parse import urlsplit

import structlog
from flask import Flask, Response, g, request

from server.errors import BadHost, BadRequest
from server.settings import Settings

log = structlog.get_logger("unmask.web")

_PAGE_CSP = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:; connect-src 'self'; "
    "form-action 'self'; frame-ancestors 'none'; base-uri 'none'; require-trusted-types-for 'script'"
)
_DATA_CSP = "default-src 'none'; frame-ancestors 'none'"
_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
}
_CORS = {
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Expose-Headers": "ETag, Retry-After, X-Request-Id",
}
_PREFLIGHT = {
    "Access-Control-Allow-Methods": "GET, POST, DELETE",
    "Access-Control-Allow-Headers": "Authorization, Content-Type, If-None-Match, Idempotency-Key",
    "Access-Control-Max-Age": "600",
}


def is_api() -> bool:
    return request.path.startswith("/api/v1/")


def install(app: Flask, settings: Settings) -> None:
    hosts = allowed_hosts(settings)
    https = settings.address.startswith("https://")

    @app.before_request
    def begin() -> Response | None:
        g.began = time.perf_counter()
        g.request_id = secrets.token_hex(8)
        if host_name(request.host) not in hosts:
            raise BadHost(details={"host": request.host[:200]})
        if "\0" in request.path or b"%00" in request.query_string:  # PostgreSQL stores and compares no such text
            raise BadRequest("The address holds a character that no address has.")
        if request.method == "OPTIONS" and is_api():
            return Response(status=204, headers=_PREFLIGHT)
        return None

    @app.after_request
    def end(response: Response) -> Response:
        headers = response.headers
        for name, value in _HEADERS.items():
            headers.setdefault(name, value)
        headers.setdefault("Content-Security-Policy", _PAGE_CSP if response.mimetype == "text/html" else _DATA_CSP)
        headers.setdefault("X-Request-Id", g.request_id)
        if request.endpoint != "static":
            headers.setdefault("Cache-Control", "no-store")
        if https:
            headers.setdefault("Strict-Transport-Security", "max-age=31536000")
        if is_api():
            headers.extend(_CORS)
            headers.add("Vary", "Authorization")
        if response.status_code == 304 or request.method == "HEAD":
            response.close()  # the body is not sent, and nobody else closes the file it was made of
        _note(response)
        return response


def _note(response: Response) -> None:
    """The rule, not the path or the query: those hold addresses people looked at, and one-time secrets."""
    rule = request.url_rule.rule if request.url_rule else None
    spent = (time.perf_counter() - g.began) * 1000
    log.info(
        "request", method=request.method, rule=rule, status=response.status_code, ms=round(spent, 1), id=g.request_id
    )


def allowed_hosts(settings: Settings) -> frozenset[str]:
    named = {part.strip().lower() for part in settings.hosts.split(",") if part.strip()}
    public = urlsplit(settings.address).hostname or ""
    bound = f"[{settings.host}]" if ":" in settings.host else settings.host
    return frozenset(named | {bound.lower(), f"[{public}]" if ":" in public else public})


def host_name(host: str) -> str:
    """Without the port: `[::1]:8000` -> `[::1]`."""
    name, _, port = host.rpartition(":")
    return (name if name and port.isdigit() else host).lower()


def cookie_settings(settings: Settings) -> dict[str, object]:
    """Cookies ignore ports, so the port is in the name: two copies on one machine do not log each other out."""
    https = settings.address.startswith("https://")
    return {
        "SESSION_COOKIE_NAME": "__Host-unmask" if https else f"unmask_{settings.port}",
        "SESSION_COOKIE_HTTPONLY": True,
        "SESSION_COOKIE_SAMESITE": "Strict",
        "SESSION_COOKIE_SECURE": https,
        "SESSION_REFRESH_EACH_REQUEST": False,
    }


def secret_key(folder: Path) -> bytes:
    """Signs the cookie. Made on the first start, readable by the owner alone; two processes agree on one."""
    path = folder / "web.key"
    folder.mkdir(parents=True, exist_ok=True)
    draft = folder / f"web.key.{os.getpid()}.{secrets.token_hex(4)}"
    if not path.exists():
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(secrets.token_bytes(32))
        try:
            os.link(draft, path)  # fails when another process was first; never shows a half-written key
        except FileExistsError:
            pass
        finally:
            draft.unlink()
    return path.read_bytes()
