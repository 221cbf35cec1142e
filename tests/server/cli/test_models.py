from __future__ import annotations

import json
from typing import Any

import pytest

from models import catalogue
from models.registry import DETECTORS
from tests.server.cli.conftest import Unmask


def test_every_detector_is_listed(unmask: Unmask) -> None:
    done = unmask("models", "list")
    assert done.exit_code == 0
    assert [line.split()[0] for line in done.stdout.splitlines()] == list(DETECTORS)


def test_as_json(unmask: Unmask) -> None:
    entries = [json.loads(line) for line in unmask("models", "list", "--json").stdout.splitlines()]
    assert [entry["name"] for entry in entries] == list(DETECTORS)


def test_what_is_not_installed_says_what_to_do(unmask: Unmask, monkeypatch: pytest.MonkeyPatch) -> None:
    described: Any = catalogue._described
    monkeypatch.setattr(catalogue, "_described", lambda name, _, *rest: described(name, None, *rest))
    assert "unmask train meso4" in unmask("models", "list").stdout
