"""What a run needs beside the check itself, built once in a worker process."""

from __future__ import annotations

from dataclasses import dataclass

from server.settings import Settings
from server.store.db import Database


@dataclass(frozen=True)
class Tools:
    settings: Settings
    database: Database


def make_tools(settings: Settings, database: Database) -> Tools:
    return Tools(settings=settings, database=database)
