from __future__ import annotations

import io
import sys

import pytest
from rich.console import Console

from models import bar


def test_it_counts_from_what_was_done_before_and_shows_rate_and_time_left(monkeypatch: pytest.MonkeyPatch) -> None:
    shown = io.StringIO()
    monkeypatch.setattr(bar, "Console", lambda stderr: Console(file=shown, force_terminal=True, width=100))
    with bar.counting("Cutting", 4, 2) as advance:
        advance()
        advance()
    assert "Cutting" in shown.getvalue()
    assert "4/4" in shown.getvalue()


def test_nothing_is_drawn_where_nobody_looks(capsys: pytest.CaptureFixture[str]) -> None:
    assert not sys.stderr.isatty()
    with bar.counting("Cutting", 1) as advance:
        advance()
    assert capsys.readouterr().err == ""
