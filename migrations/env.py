"""Runs one migration after another. `server.store.migrate` is how it is called; offline SQL is not supported."""

from __future__ import annotations

from contextlib import closing

from alembic import context
from sqlalchemy import event, text

from server.settings import Settings
from server.store.db import Database
from server.store.tables import Base

LOCK = 0x756E6D61736B  # "unmask", for PostgreSQL: processes that start together migrate one after another

url = context.config.attributes.get("url") or Settings.from_env().database
with closing(Database(url)) as database:
    if database.is_sqlite:
        # A table is changed by a copy that takes its place: with foreign keys on, dropping the old one would delete
        # what refers to it. Inside a transaction it is too late to say so.
        event.listen(database.engine, "connect", lambda connection, _: connection.execute("PRAGMA foreign_keys=OFF"))
    with database.write() as session:
        if not database.is_sqlite:
            session.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": LOCK})
        context.configure(
            connection=session.connection(),
            target_metadata=Base.metadata,
            render_as_batch=database.is_sqlite,
            compare_type=True,
            compare_server_default=False,
        )
        with context.begin_transaction():
            context.run_migrations()
