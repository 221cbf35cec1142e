from __future__ import annotations

import os
from pathlib import Path

import pytest

from models import manifest

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")


@pytest.fixture
def weights(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder in place of models/weights."""
    folder = tmp_path / "weights"
    folder.mkdir()
    monkeypatch.setattr(manifest, "WEIGHTS", folder)
    return folder
