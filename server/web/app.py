"""The web process, put together. It imports no ML library: it starts in under two seconds and stays small."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from flask_openapi3.models.info import Info
from flask_openapi3.openapi import OpenAPI
from flask_wtf import CSRFProtect
from werkzeug.middleware.proxy_fix import ProxyFix

from server.errors import Busy
from server.settings import MiB, Settings
from server.store.db import Database, utc_now
from server.store.evidence import EvidenceStore
from server.web import auth, describe, download, errors, health, limits, pages, security
from server.web.api import resources
from server.web.api.schemas import ErrorBody
from server.web.lists import KeyLists
from server.web.services import Services
from server.web.streams import Streams


def create_app(
    settings: Settings,
    database: Database,
    *,
    catalogue: Callable[[], list[dict[str, Any]]],
    pipeline: Callable[[], str],
    clock: Callable[[], datetime] = utc_now,
    unimported: Callable[[], list[dict[str, str]]] = list,
    measured: dict[str, Any] | None = None,
    announce: Callable[[str], None] | None = None,
    evidence: EvidenceStore | None = None,
) -> OpenAPI:
    """`announce` is told the id of a new check once its row is committed; without it the relay finds the row."""
    app = OpenAPI(
        "server.web",
        info=Info(title="Unmask", version="1", description=describe.ABOUT),
        security_schemes=describe.SECURITY_SCHEMES,
        doc_ui=False,
        validation_error_status=400,
        validation_error_model=ErrorBody,
        validation_error_callback=errors.refuse_invalid,
    )
    app.config.update(
        security.cookie_settings(settings),
        SECRET_KEY=security.secret_key(settings.data_dir),
        MAX_CONTENT_LENGTH=settings.max_upload_bytes + MiB,  # the form around the file
        MAX_FORM_MEMORY_SIZE=MiB,
        WTF_CSRF_TIME_LIMIT=None,  # the token lives as long as the log-in it belongs to
    )
    metrics = health.Metrics()
    app.extensions["unmask"] = Services(
        settings=settings,
        database=database,
        catalogue=catalogue,
        unimported=unimported,
        measured=measured,
        pipeline=pipeline,
        clock=clock,
        doorman=auth.Doorman(database, settings, clock),
        uploads=limits.Slots(settings.uploads, Busy, retry_after=2),
        streams=Streams(database, settings.streams),
        lists=KeyLists(database),
        evidence=evidence or EvidenceStore(settings.evidence),
        announce=announce or (lambda check_id: None),
        metrics=metrics,
    )
    # In this order a request passes: Host and request id, form CSRF, who is asking, how often.
    security.install(app, settings)
    csrf = CSRFProtect(app)
    auth.install(app)
    limits.install(app, settings)
    health.install(app, metrics)
    errors.install(app)
    for api in (*resources(), health.api, describe.api, download.api, pages.api):
        app.register_api(api)
        if api is not pages.api:
            csrf.exempt(api)  # the API wants X-CSRF-Token from cookies itself, see auth
    describe.finish(app)
    if settings.proxies:
        hops = settings.proxies
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=hops, x_proto=hops, x_host=hops)  # type: ignore[method-assign]
    return app
