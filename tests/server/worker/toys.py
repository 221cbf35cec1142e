"""Small real runners: they hold leases, change stages and write verdicts, and know nothing of media."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any, cast

from server.settings import Settings
from server.store import leases
from server.store.db import Database, utc_now
from server.store.tables import Check, Media, VerdictRow
from server.worker.lease import Lease, LeaseLost
from server.worker.tools import Tools


def tools(settings: Settings, database: Database) -> Tools:
    return Tools(settings, database, evidence=cast(Any, None), analyzer=cast(Any, None), children=cast(Any, None))


def submit(database: Database, url: str = "https://example.org/a", **values: Any) -> str:
    filled: dict[str, Any] = {
        "source": "url", "url": url, "acquisition": "download", "options": {}, "variant": "", "priority": 0,
        "state": "queued",
    }  # fmt: skip
    with database.write() as session:
        check = Check(**(filled | values))
        session.add(check)
        session.flush()
        return check.id


def row(database: Database, check_id: str) -> Check:
    with database.read() as session:
        return session.get_one(Check, check_id)


def until(condition: Callable[[], object], seconds: float = 10.0) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.01)  # between two looks at a condition that has no event


def finish(check: Check, lease: Lease, tools: Tools) -> None:
    """One verdict a URL; a second one breaks the unique index and is then seen as a failed check."""
    sha256 = hashlib.sha256((check.url or "").encode()).hexdigest()
    with tools.database.write() as session:
        media = Media(
            sha256=sha256, kind="image", mime="image/png", size=1, width=1, height=1, duration=0.0,
            acquisition="download",
        )  # fmt: skip
        session.add(media)
        session.flush()
        verdict = VerdictRow(
            media_id=media.id, variant="", version=1, pipeline="toy", label="inconclusive", basis="ensemble", body={},
            expires_at=utc_now() + timedelta(days=1),
        )  # fmt: skip
        session.add(verdict)
        session.flush()
        if not leases.complete(session, check.id, lease.attempt, verdict.id, None):
            raise LeaseLost
