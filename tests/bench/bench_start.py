"""Start-up and memory of the embedded service."""

from __future__ import annotations

from pathlib import Path

from tests.bench.table import descendants, resident_mib, show
from tests.clips import make_clip
from tests.served import Served


def main(folder: Path) -> None:
    unmask = Served(folder / "data")
    first = unmask.start()
    unmask.stop()
    with unmask:
        again = _restart(unmask)
        clip = make_clip(folder / "clip.mp4", seconds=10)
        _check(unmask, clip)
        assert unmask.process is not None
        below = descendants(unmask.process.pid)
        web, worker, warm = (
            [resident_mib(pid) for pid, line in below.items() if part in line]
            for part in (" web ", " worker ", "server.sandbox.zygote")
        )
        ended = unmask.stop()
    show(
        [
            ("first start, seconds to ready", f"{first:.2f}", ""),
            ("second start, seconds to ready", f"{again:.2f}", "goal <= 5"),
            ("SIGTERM to the end, seconds", f"{ended:.2f}", "goal <= 5"),
            ("web process, MiB (largest)", f"{max(web):.0f}", "goal <= 120"),
            ("worker process after a check, MiB", f"{max(worker):.0f}", "goal <= 500"),
            ("the warm process its children are forked from, MiB", f"{max(warm):.0f}", ""),
        ]
    )


def _restart(unmask: Served) -> float:
    unmask.stop()
    return unmask.start()


def _check(unmask: Served, clip: Path) -> None:
    from tests.uploads import upload

    status, check = upload(unmask, clip)
    assert status == 202, check
    assert unmask.finished(check["id"])["state"] == "complete"
