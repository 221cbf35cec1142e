from __future__ import annotations

import socket

import click
import pytest

from server.cli import embedded
from server.cli.listen import listen
from server.settings import Settings
from server.store.db import Database
from tests.server.worker.toys import row, submit


def test_start_queues_again_what_was_under_way_and_keeps_uploads_that_wait(
    settings: Settings, database: Database
) -> None:
    running = submit(database, state="analyzing", owner="me:1:a", attempt=1, spooled="wanted.jpg")
    done = submit(database, state="complete", spooled="done.jpg")
    settings.spool.mkdir()
    for name in ("wanted.jpg", "done.jpg", "upload-half"):
        (settings.spool / name).write_bytes(b"x")
    (settings.spool / "child-1").mkdir()
    embedded.recover(settings, database)
    assert row(database, running).state == "queued"
    assert row(database, done).state == "complete"
    assert sorted(path.name for path in settings.spool.iterdir()) == ["child-1", "wanted.jpg"]


def test_a_dead_worker_gives_back_its_checks(settings: Settings, database: Database) -> None:
    mine = submit(database, state="fetching", owner="me:1:a", attempt=1)
    other = submit(database, state="fetching", owner="me:2:a", attempt=1)
    embedded.take_back(settings, database, "me:1:a")
    assert (row(database, mine).state, row(database, other).state) == ("queued", "fetching")


def test_one_folder_has_one_server(settings: Settings) -> None:
    refused = pytest.raises(click.ClickException, match="UNMASK_DATA_DIR")
    with embedded.only_one(settings), refused, embedded.only_one(settings):
        pass
    with embedded.only_one(settings):
        pass


@pytest.mark.parametrize(
    ("host", "setting"), [("127.0.0.1", "UNMASK_PORT"), ("192.0.2.1", "UNMASK_HOST"), ("no host", "UNMASK_HOST")]
)
def test_what_cannot_be_listened_on_names_its_setting(host: str, setting: str) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        with pytest.raises(click.ClickException, match=setting) as refusal:
            listen(Settings(host=host, port=other.getsockname()[1]), patience=0.0)
    assert "\n" not in refusal.value.message


def test_the_listener_answers_before_anybody_accepts(settings: Settings) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with listen(Settings(host="127.0.0.1", port=port)), socket.create_connection(("127.0.0.1", port), timeout=5):
        pass
