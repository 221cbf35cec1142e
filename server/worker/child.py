"""The sandboxed child's entry: fetches and decodes on command. The only file that knows both.

A child does one of the two: `fetch` may use the network, `decode` and `probe` may not. Each imports its own heavy
libraries when it is asked for them, and the parent starts a decoder early (`prepare`) while a download runs.
"""

from __future__ import annotations

import sys
import time
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from server.errors import CorruptMedia, TooLarge, UnmaskError, from_code
from server.fetch import guard
from server.fetch.wire import Channel, Header
from server.worker.ahead import ahead

if TYPE_CHECKING:
    from types import ModuleType

PROGRESS_SECONDS = 0.2
AHEAD_BYTES = 64 * 1024 * 1024  # of frames that wait for a reader who is still loading models


def main(channel: Channel) -> None:
    handlers = {"fetch": _fetch, "prepare": _prepare, "probe": _probe, "decode": _decode}
    while (command := channel.receive()) is not None:
        step = command["do"]
        try:
            handlers[step](channel, command)
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


def _fetch(channel: Channel, command: Header) -> None:
    from server.fetch.address import networks
    from server.fetch.sources import Fetched, FetchLimits, Job, Request, fetch

    limits = FetchLimits(**command["limits"])
    last = 0.0

    def progress(done: int, total: int | None) -> None:
        nonlocal last
        if (now := time.monotonic()) - last >= PROGRESS_SECONDS:
            last = now
            channel.send({"type": "progress", "done": done, "total": total})

    job = Job(Path.cwd(), limits, progress, guard.online(networks(limits.allow)))
    result = fetch(Request(**command["request"]), job)
    if isinstance(result, Fetched):
        channel.send({"type": "fetched", **asdict(result), "path": result.path.name})
    else:
        channel.send({"type": "not_modified", **asdict(result)})


def _prepare(channel: Channel, command: Header) -> None:
    _reader()


def _probe(channel: Channel, command: Header) -> None:
    _decode(channel, {**command, "count": 0})


def _decode(channel: Channel, command: Header) -> None:
    """A description, then `count` frames, then the end."""
    import numpy as np

    frames = _reader()
    with _media_errors():
        limits = frames.DecodeLimits(**command["limits"])
        info, pictures = frames.open_media(Path(command["path"]), limits, command["count"] or 1, Path.cwd())
        channel.send({"type": "info", **asdict(info)})
        depth = max(1, AHEAD_BYTES // (3 * info.width * info.height))
        for frame in ahead(pictures, depth) if command["count"] else ():
            rgb = np.ascontiguousarray(frame.rgb)
            head = {"type": "frame", "t": frame.t, "index": frame.index, "shape": rgb.shape, "missing": frame.missing}
            channel.send(head, rgb.data.cast("B"))
    channel.send({"type": "end"})


@cache
def _reader() -> ModuleType:
    """The decoder, imported behind a gate that lets no connection through."""
    guard.offline()
    from server.worker import frames

    return frames


@contextmanager
def _media_errors() -> Iterator[None]:
    """models' errors under the same codes as the server's; their sentences are written for people as well."""
    from models.errors import MediaError

    try:
        yield
    except MediaError as error:
        raise from_code(error.code, str(error) or None) from error
