"""JSON objects, a line each, in a file that only grows: what a killed run had finished is not done again."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from models.errors import DatasetError


class JsonLines:
    """`rows` is what the file holds. Its last line may be torn: that one is cut off."""

    def __init__(self, path: Path) -> None:
        self._path = path
        text = path.read_bytes() if path.exists() else b""
        whole = text[: text.rfind(b"\n") + 1]
        if len(whole) < len(text):
            path.write_bytes(whole)
        try:
            self.rows: list[dict[str, Any]] = [dict(json.loads(line)) for line in whole.splitlines()]
        except (ValueError, TypeError) as error:
            raise DatasetError(f"{path} is not what an earlier run wrote ({error}). Choose another folder.") from error

    def add(self, row: dict[str, Any]) -> None:
        with self._path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(row) + "\n")
        self.rows.append(row)
