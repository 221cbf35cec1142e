"""Look-ups of 100 addresses a request over HTTP, against 1,000,000 known ones."""

from __future__ import annotations

import http.client
import json
import random
import time
import urllib.request
from concurrent.futures import ProcessPoolExecutor
from datetime import timedelta
from pathlib import Path

from sqlalchemy import insert

from server import identity
from server.settings import MiB
from server.store.db import Database, utc_now
from server.store.tables import Location, Media, VerdictRow
from tests.bench.table import descendants, resident_mib, show
from tests.served import Served

KNOWN = 1_000_000
MEDIA = 100_000  # ten addresses each
BATCH = 100
CLIENTS = 2
SECONDS = 10.0


def main(folder: Path) -> None:
    with Served(folder / "data", rate_lookups="100000000/minute") as unmask:
        built = _build(Database(f"sqlite:///{folder}/data/unmask.db"))
        unmask.stop()
        unmask.start()
        with ProcessPoolExecutor(CLIENTS) as pool:
            runs = list(pool.map(_ask, [unmask.port] * CLIENTS, [unmask.token] * CLIENTS, range(CLIENTS)))
        seconds, size = _whole_list(unmask)
        assert unmask.process is not None
        web = max(resident_mib(pid) for pid, line in descendants(unmask.process.pid).items() if " web " in line)
    times = sorted(t for run in runs for t in run)
    p50, p99 = times[len(times) // 2], times[int(len(times) * 0.99)]
    show(
        [
            (f"{KNOWN:,} known addresses, built in seconds", f"{built:.0f}", ""),
            (f"URLs a second, {CLIENTS} clients", f"{len(times) * BATCH / SECONDS:,.0f}", "goal >= 10,000"),
            ("the key of one address, microseconds", f"{_key_microseconds():.1f}", ""),
            ("median of a request, ms", f"{p50 * 1000:.1f}", ""),
            ("p99 of a request, ms", f"{p99 * 1000:.1f}", "goal <= 30"),
            (f"the whole prefix list, {size / MiB:.1f} MiB, seconds", f"{seconds:.1f}", ""),
            ("web process after all that, MiB", f"{web:.0f}", "goal <= 120"),
        ]
    )


def _whole_list(unmask: Served) -> tuple[float, int]:
    started = time.monotonic()
    headers = {"Authorization": f"Bearer {unmask.token}"}
    request = urllib.request.Request(unmask.url + "/api/v1/verdicts/prefixes", headers=headers)
    with urllib.request.urlopen(request, timeout=120) as answer:
        size = len(answer.read())
    return time.monotonic() - started, size


def _key_microseconds() -> float:
    urls = [f"https://cdn{n}.example.com/{n}.jpg?width=640&utm_source=feed&b=2&a=1" for n in range(10_000)]
    started = time.perf_counter()
    for url in urls:
        identity.keys(url)
    return (time.perf_counter() - started) / len(urls) * 1e6


def _url(number: int) -> str:
    return f"https://site{number % 977}.example/path/{number}.jpg"


def _build(database: Database) -> float:
    """Bulk rows, as an import would write them."""
    started = time.monotonic()
    now, later = utc_now(), utc_now() + timedelta(days=30)
    with database.write() as session:
        for low in range(0, MEDIA, 10_000):
            numbers = range(low, low + 10_000)
            session.execute(insert(Media), [_media(n) for n in numbers])
            session.execute(insert(VerdictRow), [_verdict(n, now, later) for n in numbers])
        for low in range(0, KNOWN, 20_000):
            session.execute(
                insert(Location),
                [
                    {
                        "url_key": keys.canonical, "exact_key": keys.exact, "url": keys.fetch_url,
                        "media_id": f"{n % MEDIA:032x}", "fetched_at": now, "expires_at": later, "listed_at": now,
                    }
                    for n in range(low, low + 20_000)
                    for keys in (identity.keys(_url(n)),)
                ],
            )  # fmt: skip
    database.close()
    return time.monotonic() - started


def _media(n: int) -> dict[str, object]:
    return {
        "id": f"{n:032x}", "sha256": f"{n:064x}", "kind": "image", "mime": "image/jpeg", "size": 1, "width": 1,
        "height": 1, "duration": 0.0, "acquisition": "download", "public": True,
    }  # fmt: skip


def _verdict(n: int, now: object, later: object) -> dict[str, object]:
    return {
        "id": f"{n:032x}", "media_id": f"{n:032x}", "variant": "", "version": 1, "current": True, "pipeline": "bench",
        "label": "inconclusive", "basis": "ensemble", "probability": 0.5, "body": {}, "created_at": now,
        "expires_at": later,
    }  # fmt: skip


def _ask(port: int, token: str, seed: int) -> list[float]:
    """Half the addresses are known. One connection, kept open, as a program would."""
    chosen = random.Random(seed)
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    connection = http.client.HTTPConnection("127.0.0.1", port)
    times: list[float] = []
    end = time.monotonic() + SECONDS
    while time.monotonic() < end:
        body = json.dumps({"urls": [_url(chosen.randrange(2 * KNOWN)) for _ in range(BATCH)]})
        started = time.monotonic()
        connection.request("POST", "/api/v1/verdicts/lookup", body, headers)
        answer = connection.getresponse()
        content = answer.read()
        times.append(time.monotonic() - started)
        assert answer.status == 200, content
    assert len(json.loads(content)["verdicts"]) == BATCH
    return times
