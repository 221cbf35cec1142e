"""The browser extension as one file. Its folder is its own source: packing only copies, and the same files give the
same bytes."""

from __future__ import annotations

import io
import json
import zipfile
from functools import cache
from pathlib import Path

FOLDER = Path(__file__).parent.parent / "extension"
_BEGAN = (1980, 1, 1, 0, 0, 0)  # what zip counts from: when a file was written does not matter
_MODE = 0o100644 << 16


@cache
def packed() -> bytes | None:
    """None where the server was installed without the folder."""
    if not FOLDER.is_dir():
        return None
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_STORED) as package:
        for path in sorted(path for path in FOLDER.rglob("*") if path.is_file()):
            entry = zipfile.ZipInfo(path.relative_to(FOLDER).as_posix(), _BEGAN)
            entry.create_system, entry.external_attr = 3, _MODE
            package.writestr(entry, path.read_bytes())
    return content.getvalue()


def version() -> str:
    told: str = json.loads((FOLDER / "manifest.json").read_text(encoding="utf-8"))["version"]
    return told
