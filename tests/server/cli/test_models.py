from __future__ import annotations

import json
from pathlib import Path

import pytest

from models import manifest
from models.registry import DETECTORS
from tests.server.cli.conftest import Unmask


def test_every_detector_is_listed(unmask: Unmask) -> None:
    done = unmask("models", "list")
    assert done.exit_code == 0
    assert [line.split()[0] for line in done.stdout.splitlines()] == list(DETECTORS)


def test_as_json(unmask: Unmask) -> None:
    entries = [json.loads(line) for line in unmask("models", "list", "--json").stdout.splitlines()]
    assert [entry["name"] for entry in entries] == list(DETECTORS)


def test_what_is_not_installed_says_what_to_do(unmask: Unmask, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(manifest, "WEIGHTS", tmp_path)
    assert "unmask train meso4" in unmask("models", "list").stdout
