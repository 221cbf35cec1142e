"""The description of POST /checks, by hand: JSON with an address, or a form with bytes."""

from __future__ import annotations

from typing import Any

from server.web.api.schemas import CheckAsked, CheckBody, ErrorBody, VerdictBody

_SCHEMA = CheckAsked.model_json_schema()["properties"]
_BINARY = {"type": "string", "format": "binary"}
_OPTIONS = ("priority", "sequence_length", "detectors", "force")


def _fields(*names: str) -> dict[str, Any]:
    return {name: _SCHEMA[name] for name in names}


REQUEST_BODY: dict[str, Any] = {
    "required": True,
    "content": {
        "application/json": {
            "schema": {
                "type": "object",
                "required": ["url"],
                "additionalProperties": False,
                "properties": _fields("url", "page_url", "media_url", *_OPTIONS),
            },
            "example": {"url": "https://example.org/clip.mp4", "page_url": "https://example.org/"},
        },
        "multipart/form-data": {
            "schema": {
                "type": "object",
                "description": "One `file`, or 1 to 60 `frames` (JPEG or PNG) with their `times`.",
                "properties": {
                    "file": _BINARY,
                    "frames": {"type": "array", "maxItems": 60, "items": _BINARY},
                    **_fields("times", "acquisition", "claimed_url", *_OPTIONS),
                },
            }
        },
    },
}
ANSWERS: dict[Any, Any] = {
    200: VerdictBody,
    202: CheckBody,
    **dict.fromkeys((409, 413, 415, 422, 503, 507), ErrorBody),
}
