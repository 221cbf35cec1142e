"""What a test needs beyond Python: found, or the test is skipped with the command that brings it; in CI it fails."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parent.parent
INSTALL = "run `sh tests/install_debian.sh` as root (make test does so on Debian)"


def program(*names: str, folders: tuple[str, ...] = ()) -> str:
    """The path of the first of these programs that is installed."""
    places = [os.environ.get("PATH", ""), *sorted((str(p) for f in folders for p in Path("/").glob(f)), reverse=True)]
    for name in names:
        found = shutil.which(name, path=os.pathsep.join(reversed(places)))
        if found:
            return found
    message = f"{names[0]} is not installed: {INSTALL}"
    if os.environ.get("CI") == "true":
        pytest.fail(message)
    pytest.skip(message)


def shared(name: str) -> Path:
    """Pictures and clips that lie beside the repository; they are nobody's to hand out, so they may be absent."""
    path = REPOSITORY.parent / "shared" / "data" / name
    if not path.exists():
        pytest.skip(f"shared/data/{name} is not beside this repository")
    return path
