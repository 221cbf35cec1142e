from __future__ import annotations

import json

import pytest

from server.cli import installed
from server.store.db import Database
from tests.server.cli.conftest import Unmask
from tests.server.store import rows

URL = "https://example.org/a.jpg"


@pytest.fixture
def known(people: Database, monkeypatch: pytest.MonkeyPatch) -> str:
    """The hash of media that was judged; which models are installed does not matter here."""
    from server.identity import keys

    monkeypatch.setattr(installed, "pipeline", lambda _: rows.PIPELINE)
    with people.write() as session:
        media = rows.media(session)
        rows.location(session, media, URL, url_key=keys(URL).canonical)
        rows.publish(session, media, "inconclusive")
        return media.sha256


@pytest.mark.parametrize("change", [str.lower, str.upper])
def test_by_hash(unmask: Unmask, known: str, change: type[str]) -> None:
    done = unmask("lookup", change(known))
    shown = json.loads(done.stdout)
    assert (done.exit_code, shown["label"], shown["stale"]) == (0, "inconclusive", False)


def test_by_address(unmask: Unmask, known: str) -> None:
    shown = json.loads(unmask("lookup", URL + "?utm_source=x#there").stdout)
    assert (shown["label"], shown["version"]) == ("inconclusive", 1)
    assert shown["fetched_at"].endswith("Z")


@pytest.mark.parametrize("what", ["https://example.org/other", "0" * 64])
def test_unknown(unmask: Unmask, known: str, what: str) -> None:
    done = unmask("lookup", what)
    assert (done.exit_code, done.stdout) == (1, "")
    assert "Nothing is known" in done.stderr


@pytest.mark.parametrize("what", ["clip.mp4", "ftp://example.org/a", "0" * 63, ""])
def test_what_is_neither_address_nor_hash(unmask: Unmask, known: str, what: str) -> None:
    done = unmask("lookup", what)
    assert (done.exit_code, done.stdout) == (1, "")
    assert "[" in done.stderr
