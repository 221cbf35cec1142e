"""Uploads on disk, kept while the check they belong to waits for them."""

from __future__ import annotations

import time
from contextlib import suppress

from sqlalchemy import exists, select

from server.settings import Settings
from server.store.db import Database
from server.store.tables import Check
from server.verdict import ACTIVE_STATES


def release(settings: Settings, database: Database, name: str) -> bool:
    """Remove an upload unless its check still waits for it: a run that lost its lease comes again."""
    with database.read() as session:
        wanted = session.scalar(select(exists().where(Check.spooled == name, Check.state.in_(ACTIVE_STATES))))
    if not wanted:
        (settings.spool / name).unlink(missing_ok=True)
    return not wanted


def sweep(settings: Settings, database: Database, older_than: float) -> int:
    """Remove uploads of that many seconds that no check waits for: their request or check ended with its process.

    Working folders are not looked at: they are the worker's.
    """
    if not settings.spool.is_dir():
        return 0
    with database.read() as session:
        wanted = set(session.scalars(select(Check.spooled).where(Check.state.in_(ACTIVE_STATES))))
    born_before = time.time() - older_than
    gone = 0
    for path in settings.spool.iterdir():
        with suppress(FileNotFoundError):  # its own check, or another worker, was quicker
            if path.name not in wanted and path.is_file() and path.stat().st_mtime <= born_before:
                path.unlink()
                gone += 1
    return gone
