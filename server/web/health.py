"""Is it alive, is it ready, what are its numbers?"""

from __future__ import annotations

import time
from ipaddress import ip_address

from flask import Flask, Response, g, request
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from sqlalchemy import func, select, text

from server.errors import Denied
from server.store import verdicts
from server.store.tables import Check
from server.verdict import ACTIVE_STATES, FINAL_STATES, LABELS
from server.web.api.blueprint import resource
from server.web.api.schemas import ErrorBody, HealthBody
from server.web.auth import identify, needs
from server.web.services import services

api = resource("operation", "For whoever runs the server", prefix=None, errors={400: ErrorBody})
METHODS = ("GET", "HEAD", "POST", "DELETE", "OPTIONS")
_TEXT = {"content": {"text/plain": {"schema": {"type": "string"}}}, "description": "Prometheus text format."}


class Metrics:
    """Requests are counted in this process; checks and verdicts are counted in the database, when asked."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.seconds = Histogram(
            "unmask_request_seconds", "Time to answer.", ["method", "rule", "status"], registry=self.registry,
            buckets=(0.005, 0.01, 0.03, 0.1, 0.3, 1, 3, 10, 60),
        )  # fmt: skip
        self.errors = Counter("unmask_errors_total", "Errors by code.", ["code"], registry=self.registry)
        self.checks = Gauge("unmask_checks", "Checks by state.", ["state"], registry=self.registry)
        self.verdicts = Gauge("unmask_verdicts", "Current verdicts by label.", ["label"], registry=self.registry)

    def render(self) -> bytes:
        with services().database.read() as session:
            states = session.execute(select(Check.state, func.count()).group_by(Check.state)).all()
            labels = verdicts.counts(session)
        counted = {row[0]: row[1] for row in states}
        for state in ACTIVE_STATES + FINAL_STATES:  # all of them: what ran empty is nought, not what it was before
            self.checks.labels(state).set(counted.get(state, 0))
        for label in LABELS:
            self.verdicts.labels(label).set(labels.get(label, 0))
        return generate_latest(self.registry)


def install(app: Flask, metrics: Metrics) -> None:
    @app.after_request
    def count(response: Response) -> Response:
        rule = request.url_rule.rule if request.url_rule else "none"
        # A label is kept for ever, so none may be invented by callers.
        method = request.method if request.method in METHODS else "other"
        metrics.seconds.labels(method, rule, response.status_code).observe(time.perf_counter() - g.began)
        return response


@api.get("/healthz", responses={200: HealthBody})
@needs("open")
def healthz() -> dict[str, str]:
    """The process answers"""
    return {"status": "ok"}


@api.get("/readyz", responses={200: HealthBody, 503: ErrorBody})
@needs("open")
def readyz() -> dict[str, str]:
    """The database answers too"""
    with services().database.read() as session:
        session.execute(text("SELECT 1"))
    return {"status": "ok"}


@api.get("/metrics", responses={200: _TEXT, 403: ErrorBody})
@needs("open")
def metrics() -> Response:
    """Numbers for Prometheus

    For an administrator's token, or without one from the machine itself."""
    if not _from_this_machine():
        person = identify()
        if person is None or not person.may("admin"):
            raise Denied(details={"needs": "admin"})
    return Response(services().metrics.render(), content_type="text/plain; version=0.0.4; charset=utf-8")


def _from_this_machine() -> bool:
    """A proxy or a web page may well speak from loopback for somebody else; both say so in their headers."""
    spoken_for = "X-Forwarded-For" in request.headers or "Forwarded" in request.headers
    from_page = request.headers.get("Sec-Fetch-Site", "none") not in ("none", "same-origin")
    return not spoken_for and not from_page and ip_address(request.remote_addr or "0.0.0.0").is_loopback  # noqa: S104
