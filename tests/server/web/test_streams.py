from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from flask import Flask

from server.store.db import Database
from server.store.tables import Check, new_id
from server.web.api.events import _left
from server.web.streams import Pace, Streams
from tests.server.web.conftest import World

FAST = Pace(poll=0.005, heartbeat=5.0, longest=5.0)


@pytest.fixture
def check(world: World) -> str:
    check_id = new_id()
    with world.database.write() as session:
        session.add(
            Check(id=check_id, source="url", acquisition="download", options={}, variant="", priority=0, state="queued")
        )
    return check_id


def news(line: str) -> dict[str, Any]:
    event, _, data = line.partition("\ndata: ")
    assert event == "event: progress"
    read: dict[str, Any] = json.loads(data)
    return read


def test_every_change_is_told_and_the_end_ends_it(database: Database, world: World, check: str) -> None:
    stream = Streams(database, 1, FAST).open(check)
    assert news(next(stream)) == {"state": "queued", "stage": "queued", "progress": 0.0}
    world.set_check(check, state="fetching", progress=0.5)
    assert news(next(stream)) == {"state": "fetching", "stage": "fetching", "progress": 0.5}
    world.set_check(check, state="complete")
    assert news(next(stream)) == {"state": "complete", "stage": "complete", "progress": 1.0}
    assert list(stream) == []


def test_silence_is_broken_by_a_heartbeat(database: Database, check: str) -> None:
    stream = Streams(database, 1, replace(FAST, heartbeat=0.02)).open(check)
    next(stream)
    assert next(stream).startswith(":")


def test_it_ends_after_a_while(database: Database, check: str) -> None:
    lines = list(Streams(database, 1, replace(FAST, longest=0.05)).open(check))
    assert len(lines) >= 1


def test_one_thread_feeds_all_and_ends_with_the_last(database: Database, check: str) -> None:
    streams = Streams(database, 4, FAST)
    opened = [streams.open(check) for _ in range(4)]
    for stream in opened:
        assert news(next(stream))["state"] == "queued"
    thread = streams._thread
    assert thread is not None
    for stream in opened:
        stream.close()  # type: ignore[attr-defined]
    thread.join(5)
    assert not thread.is_alive()


def test_only_so_many_and_a_closed_one_makes_room(app: Flask, database: Database, world: World, check: str) -> None:
    used = app.extensions["unmask"]
    app.extensions["unmask"] = replace(used, streams=Streams(database, 1, FAST))
    client, headers = app.test_client(), world.bearer("moderator")
    path = f"/api/v1/checks/{check}/events"
    first = client.get(path, headers=headers)
    assert first.mimetype == "text/event-stream"
    assert first.headers["X-Accel-Buffering"] == "no"
    refused = client.get(path, headers=headers)
    assert (refused.status_code, refused.json["error"]["code"]) == (503, "too_many_streams")
    assert refused.headers["Retry-After"] == "5"
    first.close()
    body: Iterator[bytes] = client.get(path, headers=headers).response  # type: ignore[assignment]
    assert news(next(iter(body)).decode())["state"] == "queued"
    body.close()  # type: ignore[attr-defined]


def test_a_reader_who_left_makes_room(database: Database, check: str) -> None:
    streams = Streams(database, 1, replace(FAST, look=0.01))
    ours, theirs = socket.socketpair()
    stream = streams.open(check, _left(ours))
    assert news(next(stream))["state"] == "queued"
    theirs.close()
    assert list(stream) == []
    streams.open(check).close()  # type: ignore[attr-defined]
    ours.close()
    assert _left(ours)(), "a connection that is closed here is gone, too"
    assert not _left(None)()
