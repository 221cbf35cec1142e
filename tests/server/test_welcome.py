from __future__ import annotations

import re
from pathlib import Path

import pytest

from server.settings import Settings
from server.store import people
from server.store.db import Database
from server.welcome import command, first_start


def test_the_first_start_says_how_to_get_in(database: Database, settings: Settings) -> None:
    said = first_start(database, settings)
    assert said.startswith("Unmask runs at http://127.0.0.1:8000\n")
    assert "unmask token create" in said
    link = re.search(r"http://127\.0\.0\.1:8000/login/link/(\S+)", said)
    password = re.search(r"choose your own:\n    (\S+)", said)
    assert link is not None
    assert password is not None
    with database.write() as session:
        assert people.use_login_link(session, link[1]) is not None
        admin = people.check_password(session, "admin", password[1])
        assert admin is not None
        assert admin.role == "admin"


def test_later_starts_say_where_it_is_and_nothing_more(database: Database, settings: Settings) -> None:
    first_start(database, settings)
    again = first_start(database, settings.model_copy(update={"public_url": "https://unmask.example/"}))
    assert again == "Unmask runs at https://unmask.example"


def test_the_command_is_written_as_the_reader_can_call_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("sys.argv", [str(tmp_path / ".venv/bin/unmask"), "serve"])
    monkeypatch.setattr("shutil.which", lambda name: None)
    assert command() == ".venv/bin/unmask"
    monkeypatch.setattr("shutil.which", lambda name: "/usr/bin/unmask")
    assert command() == "unmask"
