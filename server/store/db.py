"""The database: one engine, sessions that read and sessions that write, the database's own clock.

    with database.read() as session: ...      # BEGIN
    with database.write() as session: ...     # BEGIN IMMEDIATE on SQLite; commits at the end

SQLite refuses a transaction that reads first and writes later as soon as somebody else wrote in between, whatever the
busy timeout; a session that will write says so from the start.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, DateTime, Dialect, Engine, Float, create_engine, event
from sqlalchemy.engine import make_url
from sqlalchemy.exc import OperationalError
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.orm import Session, sessionmaker
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement
from sqlalchemy.types import TypeDecorator

from server.errors import DatabaseBusy, StorageFull

BUSY_SECONDS = 10.0
_WRITES = "unmask_writes"
# PostgreSQL: lock_not_available, deadlock_detected, serialization_failure; disk_full; shutdown, crash, starting up.
_BUSY = (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, "55P03", "40P01", "40001")
_FULL = (sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR, "53100")
_AWAY = ("57P01", "57P02", "57P03")


class UtcDateTime(TypeDecorator[datetime]):
    """Aware UTC on the way in and out; SQLite drops zones, so they are put back."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a time without a zone was about to be stored")
        return value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class epoch_now(FunctionElement[float]):
    """Seconds since 1970 by the database's clock: leases never depend on the clocks of the machines that hold them."""

    type = Float()
    inherit_cache = True


@compiles(epoch_now, "sqlite")
def _epoch_sqlite(element: epoch_now, compiler: SQLCompiler, **kw: Any) -> str:
    return "((julianday('now') - 2440587.5) * 86400.0)"


@compiles(epoch_now, "postgresql")
def _epoch_postgresql(element: epoch_now, compiler: SQLCompiler, **kw: Any) -> str:
    return "extract(epoch from clock_timestamp())::double precision"


def utc_now() -> datetime:
    return datetime.now(UTC)


def iso(moment: datetime | None) -> str | None:
    """ISO 8601 with `Z`, as every answer shows times."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z") if moment else None


class Database:
    def __init__(self, url: str) -> None:
        self.engine = _engine(url)
        self._read = sessionmaker(self.engine, expire_on_commit=False)
        self._write = sessionmaker(self.engine.execution_options(**{_WRITES: True}), expire_on_commit=False)

    @contextmanager
    def read(self) -> Iterator[Session]:
        with _typed_errors(), self._read.begin() as session:
            yield session

    @contextmanager
    def write(self) -> Iterator[Session]:
        with _typed_errors(), self._write.begin() as session:
            yield session

    @property
    def is_sqlite(self) -> bool:
        return self.engine.dialect.name == "sqlite"

    def close(self) -> None:
        self.engine.dispose()


@contextmanager
def _typed_errors() -> Iterator[None]:
    """A locked database, one that is away and a full disk are said by name; everything else stays what it was."""
    try:
        yield
    except OperationalError as error:
        code = getattr(error.orig, "sqlstate", None) or getattr(error.orig, "sqlite_errorcode", 0) & 0xFF
        if not code or code in _AWAY:  # none: there was no server left to give one
            raise DatabaseBusy("The database does not answer. Try again in a moment.", retry_after=2) from error
        if code in _BUSY:
            raise DatabaseBusy(retry_after=1) from error
        if code in _FULL:
            raise StorageFull from error
        raise


def _engine(address: str) -> Engine:
    """`hide_parameters`: what a statement was given (addresses, hashes of secrets) stays out of errors and logs."""
    url = make_url(address)
    if url.get_backend_name() != "sqlite":
        return create_engine(url, hide_parameters=True, pool_pre_ping=True, pool_size=8, max_overflow=32)
    Path(url.database or "").parent.mkdir(parents=True, exist_ok=True)
    # One connection a thread at the most: SQLite has one writer, readers cost 0.1 MB each.
    engine = create_engine(
        url, hide_parameters=True, connect_args={"timeout": BUSY_SECONDS}, pool_size=8, max_overflow=64
    )

    @event.listens_for(engine, "connect")
    def prepare(connection: sqlite3.Connection, _: object) -> None:
        connection.isolation_level = None  # BEGIN is ours to say, below
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON"):
            connection.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        writes = connection.get_execution_options().get(_WRITES)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")

    return engine
