"""One shape for every error, whoever raises it: the framework, validation, limits, our own tree, a bug."""

from __future__ import annotations

import errno
import io
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.datastructures import FileStorage
from werkzeug.test import encode_multipart

from server import errors
from server.errors import UnmaskError
from server.web import services as services_module
from tests.server.web.conftest import World


def shape(response: Any, status: int, code: str) -> dict[str, Any]:
    """The pinned shape."""
    assert response.status_code == status, response.data
    assert response.mimetype == "application/json"
    assert set(response.json) == {"error"}
    error: dict[str, Any] = response.json["error"]
    assert set(error) == {"code", "message", "details", "request_id"}
    assert error["code"] == code
    assert error["message"].endswith((".", "`"))
    assert isinstance(error["details"], dict)
    assert error["request_id"] == response.headers["X-Request-Id"]
    return error


CASES: list[tuple[str, dict[str, Any], int, str]] = [
    ("GET /api/v1/nothing", {}, 404, "not_found"),
    ("DELETE /api/v1/models", {}, 405, "method_not_allowed"),
    ("GET /api/v1/verdicts/unknown", {}, 404, "not_found"),
    ("GET /api/v1/verdicts", {}, 400, "invalid_request"),
    ("GET /api/v1/verdicts?url=not-a-url", {}, 400, "not_a_url"),
    ("GET /api/v1/verdicts?url=ftp://a.example/b", {}, 400, "unsupported_scheme"),
    ("GET /api/v1/verdicts?url=http://a.example/&surprise=1", {}, 400, "invalid_request"),
    ("GET /api/v1/verdicts/by-hash/abc", {}, 400, "invalid_request"),
    ("GET /api/v1/verdicts/by-prefix/xyz", {}, 400, "invalid_request"),
    ("GET /api/v1/verdicts/prefixes?since=-1", {}, 400, "invalid_request"),
    ("GET /api/v1/checks?limit=0", {}, 400, "invalid_request"),
    ("GET /api/v1/checks/unknown", {}, 404, "not_found"),
    ("GET /api/v1/evidence/unknown", {}, 400, "invalid_request"),
    ("GET /api/v1/evidence/" + "0" * 32, {}, 404, "not_found"),
    ("POST /api/v1/verdicts/lookup", {"data": "{", "content_type": "application/json"}, 400, "invalid_request"),
    ("POST /api/v1/verdicts/lookup", {"json": {"urls": []}}, 400, "invalid_request"),
    ("POST /api/v1/verdicts/lookup", {"json": {"urls": ["http://a.example/"] * 201}}, 400, "invalid_request"),
    ("POST /api/v1/verdicts/lookup", {"data": "urls", "content_type": "text/plain"}, 415, "unsupported_media_type"),
    ("POST /api/v1/checks", {"data": "not json", "content_type": "application/json"}, 400, "invalid_request"),
    ("POST /api/v1/checks", {"data": "[" * 100_000, "content_type": "application/json"}, 400, "invalid_request"),
    ("POST /api/v1/checks", {"data": b"\xff\xfe{", "content_type": "application/json"}, 400, "invalid_request"),
    ("POST /api/v1/checks", {"json": {}}, 400, "invalid_request"),
    ("POST /api/v1/checks", {"json": {"url": "http://a.b/", "detectors": ["sequence"]}}, 409, "detector_not_installed"),
    ("POST /api/v1/checks", {"json": {"url": "nonsense"}}, 400, "not_a_url"),
    ("POST /api/v1/checks", {"json": {"url": "http://a.example/\0"}}, 400, "invalid_request"),
    ("POST /api/v1/checks", {"json": {"url": "file:///etc/passwd"}}, 400, "unsupported_scheme"),
    ("POST /api/v1/checks", {"json": {"url": "http://a.example/", "page_url": "x"}}, 400, "not_a_url"),
    ("POST /api/v1/checks", {"json": {"url": "http://a.example/", "colour": 1}}, 400, "invalid_request"),
    ("POST /api/v1/checks", {"json": {"url": "http://a.example/", "detectors": ["no"]}}, 400, "invalid_request"),
    ("POST /api/v1/checks", {"json": {"url": "http://a.example/", "detectors": []}}, 400, "invalid_request"),
    ("POST /api/v1/checks", {"json": {"url": "http://a.example/", "sequence_length": 7}}, 400, "invalid_request"),
    ("POST /api/v1/checks", {"json": {"url": "http://a.example/", "times": [1]}}, 400, "invalid_request"),
    ("POST /api/v1/checks", {"json": "http://a.example/"}, 400, "invalid_request"),
    ("POST /api/v1/checks", {"data": {"acquisition": "upload"}, "content_type": "multipart/form-data"}, 400,
     "invalid_request"),
    ("POST /api/v1/checks", {"data": b"url=http://a.example/", "content_type": "application/x-www-form-urlencoded"},
     415, "unsupported_media_type"),
]  # fmt: skip


@pytest.mark.parametrize(("request_line", "sent", "status", "code"), CASES)
def test_every_refusal_has_the_one_shape(
    client: FlaskClient, world: World, request_line: str, sent: dict[str, Any], status: int, code: str
) -> None:
    method, path = request_line.split(" ", 1)
    shape(client.open(path, method=method, headers=world.bearer(), **sent), status, code)


@pytest.mark.parametrize(
    ("content", "status", "code"),
    [
        (b"", 415, "empty_file"),
        (b"just some text that calls itself a video", 415, "unsupported_media"),
        (b"\xff\xd8\xff" + b"\0" * (1024 * 1024 + 1), 413, "too_large"),
        (b"\xff\xd8\xff" + b"\0" * (3 * 1024 * 1024), 413, "too_large"),  # past the limit of the whole request
    ],
)
def test_a_refused_file_leaves_nothing_behind(
    client: FlaskClient, world: World, content: bytes, status: int, code: str
) -> None:
    # As bytes: the client's own way leaves a temporary file open.
    boundary, data = encode_multipart({"file": FileStorage(io.BytesIO(content), "clip.mp4")})
    form = {"data": data, "content_type": f"multipart/form-data; boundary={boundary}"}
    shape(client.post("/api/v1/checks", headers=world.bearer(), **form), status, code)
    assert not list(world.settings.spool.glob("*"))


def test_a_body_of_json_is_limited_too(client: FlaskClient, world: World) -> None:
    headers = world.bearer() | {"Content-Type": "application/json"}
    shape(client.post("/api/v1/verdicts/lookup", data=b" " * 2_100_000, headers=headers), 413, "too_large")


def test_without_a_token_the_same_shape(client: FlaskClient) -> None:
    answer = client.get("/api/v1/models")
    shape(answer, 401, "unauthorized")
    assert answer.headers["WWW-Authenticate"] == "Bearer"


@pytest.mark.parametrize("kind", sorted(errors.BY_CODE.values(), key=lambda kind: kind.code))
def test_every_error_of_the_tree(app: Flask, world: World, kind: type[UnmaskError], monkeypatch: Any) -> None:
    fail(app, kind(details={"why": "test"}), monkeypatch)
    error = shape(app.test_client().get("/api/v1/models", headers=world.bearer()), kind.status, kind.code)
    assert error["details"] == {"why": "test"}


def test_a_bug_is_answered_without_its_traceback(app: Flask, world: World, monkeypatch: Any) -> None:
    fail(app, RuntimeError("secret inner detail"), monkeypatch)
    answer = app.test_client().get("/api/v1/models", headers=world.bearer())
    shape(answer, 500, "internal")
    assert b"secret" not in answer.data


def test_a_full_disk_says_so(app: Flask, world: World, monkeypatch: Any) -> None:
    fail(app, OSError(errno.ENOSPC, "No space left on device"), monkeypatch)
    shape(app.test_client().get("/api/v1/models", headers=world.bearer()), 507, "storage_full")


def test_pages_show_the_sentence_and_the_code_to_quote(client: FlaskClient) -> None:
    answer = client.get("/nothing/here", headers={"Accept": "text/html"})
    assert answer.status_code == 404
    assert answer.mimetype == "text/html"
    assert "There is nothing at this address." in answer.text
    assert answer.headers["X-Request-Id"] in answer.text


def fail(app: Flask, error: Exception, monkeypatch: Any) -> None:
    """The catalogue raises: any view that shows it fails."""
    from dataclasses import replace

    def broken() -> list[dict[str, Any]]:
        raise error

    used: services_module.Services = app.extensions["unmask"]
    monkeypatch.setitem(app.extensions, "unmask", replace(used, catalogue=broken))
