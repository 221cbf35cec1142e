"""The database for one verb: brought up to date, one session, closed behind it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager

from sqlalchemy.orm import Session

from server.settings import Settings
from server.store.db import Database
from server.store.migrate import upgrade


@contextmanager
def reading(settings: Settings | None = None) -> Iterator[Session]:
    with closing(_database(settings)) as database, database.read() as session:
        yield session


@contextmanager
def writing(settings: Settings | None = None) -> Iterator[Session]:
    with closing(_database(settings)) as database, database.write() as session:
        yield session


def _database(settings: Settings | None) -> Database:
    chosen = settings or Settings.from_env()
    upgrade(chosen.database)
    return Database(chosen.database)
