"""Fetching in a confined child, through the vetting proxy, against curl; and how whatever never ends is ended."""

from __future__ import annotations

import statistics
import subprocess
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from server.errors import UnmaskError
from server.fetch.sources import Fetched
from server.sandbox.forkserver import ForkServer
from server.settings import Settings
from server.worker.media import MediaChild, children
from tests.bench.table import resident_mib, show
from tests.clips import make_clip
from tests.need import program
from tests.server.fetch import media
from tests.server.fetch.endless import TABLE
from tests.server.fetch.server import Server
from tests.server.fetch.watch import Watch

ALLOW = "127.0.0.1/32"
PICTURES = 100


def main(folder: Path) -> None:
    curl = program("curl")
    settings = Settings(data_dir=folder / "data", fetch_allow=ALLOW)
    with Server() as web, children(settings) as forks, MediaChild(settings, forks) as child:
        jpeg = web.put("/picture.jpg", media.jpeg())
        clip = make_clip(folder / "clip.mp4", seconds=30, width=640, height=360).read_bytes()
        large = web.put("/large.mp4", clip + bytes(50_000_000))
        web.put("/clip.mp4", clip, Content_Type="video/mp4")
        page = web.page("/page", '<video src="/clip.mp4"></video>')
        started = time.monotonic()
        child.fetch(page)
        first = time.monotonic() - started

        def plain(url: str) -> None:
            subprocess.run([curl, "-s", "-o", str(folder / "out"), url], check=True)

        def both(url: str) -> None:
            fetched = child.fetch(url)
            assert isinstance(fetched, Fetched)
            for _ in child.decode(fetched.path, 60)[1]:
                pass

        rows = [("first fetch of a new process, a page, seconds", f"{first:.2f}", "")]
        for name, url in (("a picture of 54 KB", jpeg), ("a file of 50 MB", large), ("a page with a clip", page)):
            theirs, ours = _middle(lambda url=url: plain(url)), _middle(lambda url=url: child.fetch(url))  # type: ignore[misc]
            rows.append((f"{name}: curl, fetch, ms", f"{theirs:.0f}, {ours:.0f}", ""))
        started = time.monotonic()
        with ThreadPoolExecutor(settings.concurrency) as pool:
            list(pool.map(both, [jpeg] * PICTURES))
        took = time.monotonic() - started
        rows.append((f"{PICTURES} pictures fetched and decoded, two at once, a second", f"{PICTURES / took:.0f}", ""))
        rows.append(("a 30-second clip fetched and 60 frames decoded, ms", f"{_middle(lambda: both(page)):.0f}", ""))
        assert forks._zygote is not None
        rows.append(("the warm process, MiB", f"{resident_mib(forks._zygote.pid):.0f}", ""))
        show(rows)
        _bounds(web, forks, folder)


def _middle(act: Callable[[], object], times: int = 9) -> float:
    """Milliseconds, the median."""
    took = []
    for _ in range(times):
        started = time.monotonic()
        act()
        took.append(time.monotonic() - started)
    return statistics.median(took) * 1000


def _bounds(web: Server, forks: ForkServer, folder: Path) -> None:
    """Each endless thing: how it ended, when, and the most memory a child took."""
    print()
    for name, case in TABLE.items():
        changed = {key.lower(): value for key, value in case.settings.items()}
        settings = Settings(data_dir=folder / "data", fetch_allow=ALLOW, **changed)
        url = case.serve(web)
        with Watch(forks) as watch, MediaChild(settings, forks) as child:
            started = time.monotonic()
            try:
                child.fetch(url)
                ended = "not at all"
            except UnmaskError as error:
                ended = error.code
            took = time.monotonic() - started
        print(f"{name:<30}{ended:<16}{took:6.2f} s{watch.peak_mib:7.0f} MiB", flush=True)
