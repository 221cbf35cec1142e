"""The same code on a real PostgreSQL: schema, clock, and the upgrade from empty."""

from __future__ import annotations

import time

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import select

from server.store.db import Database, epoch_now
from server.store.migrate import head, upgrade
from server.store.tables import Base


def test_migrations_make_exactly_the_tables(any_database: Database) -> None:
    with any_database.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, Base.metadata) == []
        assert context.get_current_revision() == head()


def test_upgrading_twice_changes_nothing(any_database: Database) -> None:
    upgrade(any_database.engine.url.render_as_string(hide_password=False))


def test_the_database_has_a_clock_of_its_own(any_database: Database) -> None:
    with any_database.read() as session:
        assert session.scalar(select(epoch_now())) == pytest.approx(time.time(), abs=5)
