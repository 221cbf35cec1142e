"""`unmask` as a person types it, on a data folder of its own."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from server.cli import main
from server.settings import Settings
from server.store.db import Database
from server.store.migrate import upgrade
from server.store.people import add_user

Unmask = Callable[..., Result]


@pytest.fixture
def unmask(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Unmask:
    for name in Settings.model_fields:
        monkeypatch.delenv(f"UNMASK_{name.upper()}", raising=False)
    monkeypatch.setenv("UNMASK_DATA_DIR", str(tmp_path / "data"))

    def run(*words: str) -> Result:
        return CliRunner().invoke(main, words, prog_name="unmask", catch_exceptions=False)

    return run


@pytest.fixture
def people(unmask: Unmask, tmp_path: Path) -> Iterator[Database]:
    """The database of that folder, with its administrator."""
    url = Settings(data_dir=tmp_path / "data").database
    upgrade(url)
    database = Database(url)
    with database.write() as session:
        add_user(session, "admin", None, "admin")
    yield database
    database.close()
