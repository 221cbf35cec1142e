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
        below = {pid: (line, resident_mib(pid)) for pid, line in descendants(unmask.process.pid).items()}
        web = [mib for line, mib in below.values() if " web " in line]
        worker = [mib for line, mib in below.values() if " worker " in line]
        ended = unmask.stop()
    show(
        [
            ("first start, seconds to ready", f"{first:.2f}", ""),
            ("second start, seconds to ready", f"{again:.2f}", "goal <= 5"),
            ("SIGTERM to the end, seconds", f"{ended:.2f}", "goal <= 5"),
            ("web process, MiB (largest)", f"{max(web):.0f}", "goal <= 120"),
            ("worker process after a check, MiB", f"{max(worker):.0f}", "goal <= 500"),
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
