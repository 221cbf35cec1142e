"""The resources of API v1."""

from __future__ import annotations

from flask_openapi3.blueprint import APIBlueprint

from server.web.api import checks, events, evidence, media, models, pairings, prefixes, verdicts


def resources() -> list[APIBlueprint]:
    return [checks.api, events.api, verdicts.api, prefixes.api, evidence.api, media.api, models.api, pairings.api]
