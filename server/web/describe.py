"""The API's description: the generated OpenAPI 3.1 file, what each route needs added to it, and the page made of it."""

from __future__ import annotations

from typing import Any, cast

from flask import Response, current_app, render_template
from flask_openapi3.openapi import OpenAPI
from flask_openapi3.utils import parse_rule
from markupsafe import Markup

from server.web.api.blueprint import json_response, resource, with_etag
from server.web.api.schemas import ErrorBody
from server.web.auth import caller, needs

ABOUT = (
    "Labels for manipulated media. Every answer is JSON and every error has one shape. Send "
    "`Authorization: Bearer umk_...` (`unmask token create`). A probability is that of manipulation; a machine never "
    "says that something is genuine."
)
SECURITY_SCHEMES: dict[str, Any] = {
    "token": {"type": "http", "scheme": "bearer", "description": "A token with the scope the route names."},
    "page": {
        "type": "apiKey", "in": "header", "name": "X-CSRF-Token",
        "description": "Our own pages: the log-in's cookie counts only together with this header.",
    },
}  # fmt: skip
_METHODS = ("get", "post", "delete")
api = resource("description", "This description", prefix=None, errors={400: ErrorBody})


@api.get("/api/v1/openapi.json", responses={200: {"content": {"application/json": {"schema": {"type": "object"}}}}})
@needs("open")
def openapi_file() -> Response:
    """This description, as OpenAPI 3.1"""
    response = with_etag(json_response(_spec()))
    response.headers["Cache-Control"] = "no-cache"
    return response


@api.get("/api/docs", responses={200: {"content": {"text/html": {"schema": {"type": "string"}}}}})
@needs("person")
def docs() -> str:
    """This description, as a page to read"""
    spec = _spec()
    schemas = spec["components"]["schemas"]
    return render_template("docs.html", person=caller(), spec=spec, groups=_by_tag(spec), schemas=schemas)


@api.app_template_filter("ticks")
def ticks(text: str | None) -> Markup:
    """`words` -> <code>words</code>; everything else stays text."""
    parts = (text or "").split("`")
    return Markup("").join(Markup("<code>{}</code>").format(part) if n % 2 else part for n, part in enumerate(parts))


def finish(app: OpenAPI) -> None:
    """What a route needs stands once, at the route; here it enters the description."""
    for rule in app.url_map.iter_rules():
        what = getattr(app.view_functions[rule.endpoint], "needs", None)
        path = app.paths.get(parse_rule(rule.rule))
        for method in _METHODS:
            operation = getattr(path, method, None) if method.upper() in (rule.methods or ()) else None
            if operation is None:
                continue
            if what != "open":
                operation.security = [{"token": []}, {"page": []}]
            operation.description = _prose(operation.description, what)


def _prose(text: str | None, what: str | None) -> str:
    """The generator joins the lines of a docstring with <br/>."""
    words = " ".join((text or "").replace("<br/>", "\n").split())
    need = {"open": "Open to everybody.", "person": "For everybody who is signed in."}
    return f"{words} {need.get(what or '', f'Needs the scope `{what}`.')}".strip()


def _spec() -> dict[str, Any]:
    return cast(OpenAPI, current_app).api_doc


def _by_tag(spec: dict[str, Any]) -> dict[str, list[dict[str, Any]]]:
    groups: dict[str, list[dict[str, Any]]] = {}
    for path, item in spec["paths"].items():
        for method in _METHODS:
            if method in item:
                groups.setdefault(item[method]["tags"][0], []).append({"method": method, "path": path, **item[method]})
    return groups
