"""What many tests need: a fresh database of each kind, settings that point into a temporary folder."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from server.sandbox.forkserver import ForkServer
from server.settings import Settings
from server.store.db import Database
from server.store.migrate import upgrade
from server.worker import media
from tests.services.postgres import PostgresServer


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(data_dir=tmp_path / "data", log_format="text")


@pytest.fixture(scope="session")
def migrated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An empty SQLite database at the newest schema, to be copied: migrating takes longer than most tests."""
    path = tmp_path_factory.mktemp("migrated") / "unmask.db"
    upgrade(f"sqlite:///{path}")
    return path


@pytest.fixture
def database(settings: Settings, migrated: Path) -> Iterator[Database]:
    settings.data_dir.mkdir(parents=True)
    shutil.copy(migrated, settings.data_dir / "unmask.db")
    made = Database(settings.database)
    yield made
    made.close()


@pytest.fixture(scope="session")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PostgresServer]:
    with PostgresServer() as server:
        yield server


@pytest.fixture(scope="session")
def postgres_template(postgres: PostgresServer) -> Iterator[str]:
    """The name of an empty database at the newest schema, to be copied like the SQLite one."""
    with postgres.fresh_database() as url:
        upgrade(url)
        yield url.rpartition("/")[2]


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.service)])
def any_database(request: pytest.FixtureRequest) -> Iterator[Database]:
    """The same test on both databases."""
    if request.param == "sqlite":
        yield request.getfixturevalue("database")
        return
    server: PostgresServer = request.getfixturevalue("postgres")
    with server.fresh_database(request.getfixturevalue("postgres_template")) as url:
        made = Database(url)
        yield made
        made.close()


@pytest.fixture(scope="session")
def children() -> Iterator[ForkServer]:
    """What starts fetching and decoding children, as a worker process has one."""
    with media.children(Settings()) as made:
        yield made
