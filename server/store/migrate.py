"""Brings a database to the newest schema, from empty or from any earlier version."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory

import migrations


def upgrade(database_url: str, revision: str = "head") -> None:
    command.upgrade(config(database_url), revision)


def head() -> str:
    newest = ScriptDirectory.from_config(config("sqlite://")).get_current_head()
    assert newest is not None, "there is no migration at all"
    return newest


def config(database_url: str) -> Config:
    made = Config()
    made.set_main_option("script_location", str(Path(migrations.__file__).parent))
    made.attributes["url"] = database_url  # not a main option: a password may hold a %
    return made
