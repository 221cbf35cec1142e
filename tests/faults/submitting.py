"""Two ways to submit: rows into the store, and pictures through the HTTP API. Both say what was surely accepted."""

from __future__ import annotations

import http.client
import urllib.error
from pathlib import Path

from PIL import Image

from server.errors import DatabaseBusy
from server.store.db import Database
from tests.clips import portrait
from tests.faults.faults import Submit
from tests.faults.tree import Tree
from tests.server.worker import toys
from tests.uploads import upload


def rows(database: Database) -> Submit:
    def submit(number: int) -> str | None:
        try:
            return toys.submit(database, f"https://example.org/{number}", priority=number % 2 * 5)
        except DatabaseBusy:
            return None

    return submit


def uploads(tree: Tree, folder: Path) -> Submit:
    """Pictures of one face, each with other bytes. An answer that was cut off by a kill promises nothing."""

    def submit(number: int) -> str | None:
        path = folder / f"{number}.png"
        picture = portrait().copy()
        picture[0, 0] = number % 256, number // 256, 0
        Image.fromarray(picture).save(path, compress_level=1)
        try:
            status, check = upload(tree, path)
        except (urllib.error.URLError, http.client.HTTPException, OSError):
            return None
        finally:
            path.unlink()
        return str(check["id"]) if status == 202 else None

    return submit
