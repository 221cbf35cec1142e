"""The sandboxed child's entry: fetches or decodes, once. The only file that knows both.

A fetching child has a way out, a decoding one has none.
"""

from __future__ import annotations

import socket
import sys
import time
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path

from models.errors import MediaError
from server.errors import CorruptMedia, TooLarge, UnmaskError, from_code
from server.fetch import guard
from server.sandbox.inside import WAY_OUT
from server.sandbox.wire import Channel, Header
from server.worker.ahead import ahead

PROGRESS_SECONDS = 0.2
AHEAD_BYTES = 64 * 1024 * 1024  # of frames that wait for a reader who is still loading models


def main(command: Header, channel: Channel) -> None:
    step = command["do"]
    guard.arm()
    try:
        {"fetch": _fetch, "decode": _decode}[step](command, channel)
    except UnmaskError as error:
        _report(channel, error)
    except MemoryError:
        _report(channel, TooLarge() if step == "fetch" else CorruptMedia(details={"reason": "memory"}))
    except Exception as error:  # noqa: BLE001 - the process's edge: the parent notes what went to stderr
        traceback.print_exc()
        sys.stderr.flush()
        _report(channel, UnmaskError(details={"step": step, "type": type(error).__name__}))


def _report(channel: Channel, error: UnmaskError) -> None:
    channel.send({"type": "error", "code": error.code, "message": error.message, "details": error.details})


def _fetch(command: Header, channel: Channel) -> None:
    from server.fetch.gate import Gate
    from server.fetch.sources import Fetched, FetchLimits, Job, Request, fetch

    last = 0.0

    def progress(done: int, total: int | None) -> None:
        nonlocal last
        if (now := time.monotonic()) - last >= PROGRESS_SECONDS:
            last = now
            channel.send({"type": "progress", "done": done, "total": total})

    gate = Gate(socket.socket(fileno=WAY_OUT))
    gate.open()
    job = Job(Path(), FetchLimits(**command["limits"]), progress, gate)
    result = fetch(Request(**command["request"]), job)
    if isinstance(result, Fetched):
        channel.send({"type": "fetched", **asdict(result), "path": result.path.name})
    else:
        channel.send({"type": "not_modified", **asdict(result)})


def _decode(command: Header, channel: Channel) -> None:
    """A description, then `count` frames with the glances that were asked for, then the end."""
    from models.decode import DecodeLimits
    from models.pdq import of_each_second
    from server.worker.frames import message, open_media

    with _media_errors():
        limits = DecodeLimits(**command["limits"])
        path, count, glances = Path(command["path"]), command["count"], command.get("glances", False)
        anchors = Path(trusted).read_text("utf-8") if (trusted := command.get("trusted")) else None
        info, pictures = open_media(path, limits, count or 1, Path(), glances, anchors)
        channel.send({"type": "info", **asdict(info)})
        messages = map(message, of_each_second(pictures) if command.get("hashing") else pictures)
        for head, pixels in ahead(messages, AHEAD_BYTES, lambda made: len(made[1])) if count else ():
            channel.send(head, pixels)
    channel.send({"type": "end"})


@contextmanager
def _media_errors() -> Iterator[None]:
    """models' errors under the same codes as the server's; their sentences are written for people as well."""
    try:
        yield
    except MediaError as error:
        raise from_code(error.code, str(error) or None) from error
