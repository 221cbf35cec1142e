"""An entry point that has been taken over: it answers what no child of ours would."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from server.sandbox.wire import Channel

EVIL = b"\x89PNG other bytes"
FETCHED: dict[str, Any] = {
    "type": "fetched", "sha256": "0" * 64, "size": len(EVIL), "mime": "image/png", "path": "0" * 64 + ".png",
    "final_url": "", "etag": None, "last_modified": None, "title": None, "extractor": "direct", "complete": True,
}  # fmt: skip
INFO = {"type": "info", "kind": "image", "mime": "image/png", "width": 2, "height": 2, "duration": 0.0, "frames": 1}
FRAME = {"type": "frame", "t": 0.0, "index": 0, "shape": [2, 2, 3]}

GLANCE = {"type": "glance", "t": 0.0, "missing": 0, "shape": [2, 2]}


def main(command: dict[str, Any], channel: Channel) -> None:
    lie = command["request"]["url"] if "request" in command else Path(command["path"]).name
    globals()[lie](channel)


def another_hash(channel: Channel) -> None:
    Path(FETCHED["path"]).write_bytes(EVIL)
    channel.send(FETCHED)


def another_file(channel: Channel) -> None:
    channel.send({**FETCHED, "path": "/etc/passwd"})


def no_fields(channel: Channel) -> None:
    channel.send({"type": "fetched"})


def odd_progress(channel: Channel) -> None:
    channel.send({"type": "progress", "done": "all"})


def odd_info(channel: Channel) -> None:
    channel.send({**INFO, "kind": "song"})


def no_pixels(channel: Channel) -> None:
    channel.send(INFO)
    channel.send(FRAME, b"123")


def odd_shape(channel: Channel) -> None:
    channel.send(INFO)
    channel.send({**FRAME, "shape": "wide"}, bytes(12))


def too_many_pixels(channel: Channel) -> None:
    channel.send(INFO)
    channel.send({**FRAME, "shape": [9000, 9000, 3]}, memoryview(bytes(9000 * 9000 * 3)))


def a_glance_of_colour(channel: Channel) -> None:
    channel.send(INFO)
    channel.send({**GLANCE, "shape": [2, 2, 3]}, bytes(12))


def a_large_glance(channel: Channel) -> None:
    channel.send(INFO)
    channel.send({**GLANCE, "shape": [2, 1000]}, bytes(2000))


def glances_without_end(channel: Channel) -> None:
    channel.send(INFO)
    while True:
        channel.send(GLANCE, bytes(4))
