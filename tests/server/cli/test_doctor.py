from __future__ import annotations

import json
from dataclasses import replace

import click
import pytest

from server.cli.doctor import insist
from server.sandbox import protections
from server.sandbox.protections import Findings
from server.settings import Settings
from tests.server.cli.conftest import Unmask


@pytest.fixture
def lacking(monkeypatch: pytest.MonkeyPatch) -> Findings:
    """A machine without Landlock, as far as the command can tell."""
    found = protections.try_out()
    shown = tuple(replace(each, broken="read a file") if each.name == "reading" else each for each in found.protections)
    lacking = Findings(shown, {"landlock": "Function not implemented"})
    monkeypatch.setattr(protections, "try_out", lambda: lacking)
    return lacking


def test_it_tells_each_protection(unmask: Unmask) -> None:
    done = unmask("doctor", "--json")
    told = json.loads(done.stdout)["protections"]
    assert list(told) == [name for name, _, _ in protections._TABLE]
    assert done.exit_code == (0 if set(told.values()) == {"held"} else 1)


def test_what_is_missing_is_said_with_what_to_do(unmask: Unmask, lacking: Findings) -> None:
    done = unmask("doctor")
    assert done.exit_code == 1
    assert "reading     MISSING" in done.stdout
    assert "Landlock (Linux 5.13" in done.stdout
    assert "Function not implemented" in done.stdout
    assert "UNMASK_SANDBOX=require" in done.stdout


@pytest.mark.parametrize(
    ("host", "sandbox", "starts"),
    [
        ("127.0.0.1", "auto", True),
        ("localhost", "auto", True),
        ("::1", "auto", True),
        ("0.0.0.0", "auto", False),
        ("unmask.example", "auto", False),
        ("127.0.0.1", "require", False),
        ("0.0.0.0", "best", True),
    ],
)
def test_who_starts_with_less(
    lacking: Findings, capsys: pytest.CaptureFixture[str], host: str, sandbox: str, starts: bool
) -> None:
    settings = Settings(host=host, sandbox=sandbox)
    if starts:
        insist(settings)
        assert "Warning: Fetching is not fully held here. reading: a child read a file" in capsys.readouterr().err
    else:
        with pytest.raises(click.ClickException, match="UNMASK_SANDBOX=best"):
            insist(settings)
