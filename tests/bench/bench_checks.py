"""Checks a minute: a folder of clips through the API, the queue, the worker and the database."""

from __future__ import annotations

import time
from pathlib import Path

from tests.bench.table import show
from tests.clips import make_clip
from tests.served import Served
from tests.uploads import upload

CLIPS = 24
SECONDS = 10.0


def main(folder: Path) -> None:
    # Lengths differ by a frame, so that no two clips are the same bytes.
    clips = [make_clip(folder / f"{n}.mp4", seconds=SECONDS + n / 30) for n in range(CLIPS)]
    with Served(folder / "data", queue_limit=10_000, rate_checks="100000/minute") as unmask:
        started = time.monotonic()
        ids = [check["id"] for status, check in (upload(unmask, clip) for clip in clips) if status == 202]
        assert len(ids) == CLIPS
        states = {unmask.finished(check_id, seconds=600)["state"] for check_id in ids}
        took = time.monotonic() - started
        assert states == {"complete"}, states
        started = time.monotonic()
        answers = {upload(unmask, clip)[0] for clip in clips}
        cached = time.monotonic() - started
        assert answers == {200}, answers
    show(
        [
            (f"{CLIPS} clips of {SECONDS:.0f} s, 360p: checks a minute", f"{CLIPS / took * 60:.0f}", ""),
            ("the same again, from the cache: answers a minute", f"{CLIPS / cached * 60:.0f}", ""),
        ]
    )
