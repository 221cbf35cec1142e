"""A route that is not documented fails here."""

from __future__ import annotations

import re
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from server.web.api import schemas
from server.web.auth import NEEDS
from server.web.describe import ticks
from tests.server.web.conftest import World


@pytest.fixture
def spec(client: FlaskClient) -> dict[str, Any]:
    answer = client.get("/api/v1/openapi.json")
    assert answer.status_code == 200
    described: dict[str, Any] = answer.json
    return described


def routes(app: Flask) -> list[tuple[str, str, str]]:
    """Method, path as OpenAPI spells it, endpoint. Files under /static are no routes of ours."""
    return [
        (method, re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", rule.rule), rule.endpoint)
        for rule in app.url_map.iter_rules()
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
        if rule.endpoint != "static"
    ]


def test_every_route_is_described(app: Flask, spec: dict[str, Any]) -> None:
    assert len(routes(app)) > 20
    for method, path, _ in routes(app):
        operation = spec["paths"].get(path, {}).get(method.lower())
        assert operation is not None, f"{method} {path} is not in the OpenAPI file"
        assert operation["summary"], f"{method} {path} has no summary"
        assert operation["responses"], f"{method} {path} says nothing of its answers"


def test_what_a_route_needs_is_in_its_description(app: Flask, spec: dict[str, Any]) -> None:
    for method, path, endpoint in routes(app):
        need = app.view_functions[endpoint].needs  # type: ignore[attr-defined]
        operation = spec["paths"][path][method.lower()]
        assert need in NEEDS
        assert ("security" in operation) == (need != "open"), path
        if need not in ("open", "person"):
            assert f"`{need}`" in operation["description"]


def test_it_is_openapi_3_1_whose_references_lead_somewhere(spec: dict[str, Any]) -> None:
    assert spec["openapi"] == "3.1.0"
    named = set(spec["components"]["schemas"])
    referred = set(re.findall(r"#/components/schemas/([\w.\-]+)", str(spec)))
    assert referred <= named
    assert "#/$defs/" not in str(spec)
    ids = [operation["operationId"] for item in spec["paths"].values() for operation in item.values()]
    assert len(ids) == len(set(ids))
    assert "checks_ask" in ids


def test_every_parameter_says_what_it_is(spec: dict[str, Any]) -> None:
    for path, item in spec["paths"].items():
        for operation in item.values():
            for parameter in operation.get("parameters", []):
                assert parameter.get("description"), f"{path}: {parameter['name']}"


def test_asking_for_a_check_is_described_both_ways(spec: dict[str, Any]) -> None:
    body = spec["paths"]["/api/v1/checks"]["post"]["requestBody"]["content"]
    asked = set(schemas.CheckAsked.model_fields)
    assert set(body) == {"application/json", "multipart/form-data"}
    described = {name for content in body.values() for name in content["schema"]["properties"]}
    assert described == asked | {"file", "frames"}


def test_the_prefix_list_is_described(spec: dict[str, Any]) -> None:
    operation = spec["paths"]["/api/v1/verdicts/prefixes"]["get"]
    assert "bucket" in operation["responses"]["200"]["description"]
    assert "manipulation_likely" in operation["x-labels"]
    assert set(operation["responses"]["200"]["content"]) == {"application/octet-stream"}


def test_the_page_shows_every_route(app: Flask, client: FlaskClient, world: World) -> None:
    page = client.get("/api/docs", headers=world.bearer()).text
    for method, path, _ in routes(app):
        assert f"{method} {path}" in page
    assert "ErrorBody" in page
    assert "Undefined" not in page


def test_the_file_is_not_sent_twice(client: FlaskClient) -> None:
    etag = client.get("/api/v1/openapi.json").headers["ETag"]
    assert client.get("/api/v1/openapi.json", headers={"If-None-Match": etag}).status_code == 304


def test_words_between_ticks_are_code_and_nothing_becomes_markup() -> None:
    assert ticks("send `a<b>` <i>") == "send <code>a&lt;b&gt;</code> &lt;i&gt;"
    assert ticks(None) == ""
