"""Runs one migration after another. `server.store.migrate` is how it is called; offline SQL is not supported."""

from __future__ import annotations

from alembic import context

from server.settings import Settings
from server.store.db import Database
from server.store.tables import Base

url = context.config.attributes.get("url") or Settings.from_env().database
database = Database(url)
with database.engine.execution_options(unmask_writes=True).begin() as connection:
    context.configure(
        connection=connection,
        target_metadata=Base.metadata,
        render_as_batch=database.is_sqlite,
        compare_type=True,
        compare_server_default=False,
    )
    with context.begin_transaction():
        context.run_migrations()
database.close()
