"""What the views use, built once by create_app and handed around by Flask's own current_app."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, cast

from flask import current_app

from server.settings import Settings
from server.store.db import Database

if TYPE_CHECKING:
    from server.store.evidence import EvidenceStore
    from server.web.auth import Doorman
    from server.web.health import Metrics
    from server.web.limits import Slots
    from server.web.lists import KeyLists
    from server.web.streams import Streams


@dataclass(frozen=True)
class Services:
    settings: Settings
    database: Database
    catalogue: Callable[[], list[dict[str, Any]]]  # the detectors, as GET /models shows them
    unimported: Callable[[], list[dict[str, str]]]  # weights that nothing uses yet
    measured: dict[str, Any] | None  # how often labels err, of the calibration in use
    pipeline: Callable[[], str]  # the version that new verdicts would carry
    clock: Callable[[], datetime]
    doorman: Doorman
    uploads: Slots
    streams: Streams
    lists: KeyLists
    evidence: EvidenceStore
    announce: Callable[[str], None]  # tells the broker of a new check, after its row is committed
    metrics: Metrics


def services() -> Services:
    return cast(Services, current_app.extensions["unmask"])
