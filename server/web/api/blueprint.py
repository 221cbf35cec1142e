"""How a resource of the API is declared, and how JSON bodies are read."""

from __future__ import annotations

import json
from typing import Any, TypeVar

from flask import Response, request
from flask_openapi3.blueprint import APIBlueprint
from flask_openapi3.models.tag import Tag
from pydantic import BaseModel, ValidationError
from werkzeug.exceptions import RequestEntityTooLarge, UnsupportedMediaType

from server.errors import BadRequest
from server.web.api.schemas import ErrorBody
from server.web.errors import from_validation

PREFIX = "/api/v1"
MAX_JSON_BYTES = 2 * 1024 * 1024  # 200 addresses of 8 KB each
Model = TypeVar("Model", bound=BaseModel)


ERRORS: dict[Any, Any] = dict.fromkeys((400, 401, 403, 404, 429, 500), ErrorBody)


def resource(
    name: str, about: str, *, tag: str | None = None, prefix: str | None = PREFIX, errors: dict[Any, Any] = ERRORS
) -> APIBlueprint:
    return APIBlueprint(
        name,
        __name__,
        url_prefix=prefix,
        abp_tags=[Tag(name=tag or name, description=about)],
        abp_responses=errors,
        operation_id_callback=_operation_id,
    )


def _operation_id(*, bp_name: str, name: str, path: str, method: str) -> str:
    return f"{bp_name}_{name}"


def json_body(model: type[Model]) -> Model:
    try:
        return model.model_validate(read_json())
    except ValidationError as error:
        raise from_validation(error) from error


def read_json() -> Any:
    if request.mimetype != "application/json":
        raise UnsupportedMediaType
    request.max_content_length = MAX_JSON_BYTES
    if request.content_length is not None and request.content_length > MAX_JSON_BYTES:
        raise RequestEntityTooLarge
    try:
        return json.loads(request.get_data(cache=False))
    except (ValueError, RecursionError):
        raise BadRequest("The body is not valid JSON.") from None


def json_response(body: Any, status: int = 200) -> Response:
    return Response(json.dumps(body, separators=(",", ":")), status, mimetype="application/json")


def with_etag(response: Response, etag: str | None = None) -> Response:
    """304 for those who hold this very answer; made of the answer itself, so nothing can be forgotten in it."""
    response.set_etag(etag) if etag is not None else response.add_etag()
    response.make_conditional(request)
    return response
