"""Near duplicates: searching what a picture looks like among 100,000 and among 1,000,000 hashes, in SQLite."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing
from itertools import islice
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from models import pdq
from server.store import hashes
from server.store.db import Database
from server.store.migrate import upgrade
from server.store.tables import new_id
from tests.bench.table import show
from tests.clips import portrait

KNOWN = (100_000, 1_000_000)
SECONDS = 50  # hashes of one clip
ASKED = 100
FLIPPED = (0, 10, 20, hashes.NEAR)


def main(folder: Path) -> None:
    started = time.perf_counter()
    for _ in range(ASKED):
        pdq.of(portrait())
    rows = [("hashing a picture of 512 x 512, ms", f"{_ms(started):.1f}", "")]
    for known in KNOWN:
        bits = np.random.default_rng(known).integers(0, 256, (known, pdq.BYTES), np.uint8)
        path = folder / f"{known}.db"
        built = _build(path, bits)
        times, found = _ask(path, bits)
        rows += [
            (f"{known:,} hashes, built in seconds; MiB", f"{built:.0f}; {path.stat().st_size >> 20}", ""),
            ("searching for one, ms: median", f"{times[len(times) // 2]:.1f}", "goal <= 20"),
            ("p99", f"{times[int(0.99 * len(times))]:.1f}", ""),
            ("found of those up to 31 bits away", f"{found} of {len(times)}", "all"),
        ]
    show(rows)


def _ms(started: float) -> float:
    return (time.perf_counter() - started) * 1000 / ASKED


def _build(path: Path, bits: NDArray[np.uint8]) -> float:
    """Straight into the tables, parts in the order of their key: through the store it would take an hour."""
    upgrade(f"sqlite:///{path}")
    started = time.perf_counter()
    words = bits.view(">u2").astype(np.int64) | np.arange(16, dtype=np.int64) << 16
    ids = np.repeat(np.arange(1, len(bits) + 1), 16)
    order = np.lexsort((ids, words.ravel()))
    media = [new_id() for _ in range(len(bits) // SECONDS)]
    with closing(sqlite3.connect(path)) as rows, rows:
        rows.execute("PRAGMA synchronous=OFF")
        rows.executemany(
            "INSERT INTO media VALUES (?, ?, 'video', 'video/mp4', 1, 1, 1, 50.0, 1, 1, 'download', '2026-01-01')",
            ((one, one) for one in media),
        )
        rows.executemany(
            "INSERT INTO media_hashes (id, media_id, t, bits, quarantined) VALUES (?, ?, ?, ?, 0)",
            ((n + 1, media[n // SECONDS], n % SECONDS, one.tobytes()) for n, one in enumerate(bits)),
        )
        rows.executemany("INSERT INTO media_hash_parts VALUES (?, ?)", _pairs(words.ravel(), ids, order))
    return time.perf_counter() - started


def _pairs(words: NDArray[np.int64], ids: NDArray[np.int64], order: NDArray[np.int64]) -> Iterator[tuple[int, int]]:
    for part in np.array_split(order, 100):
        yield from zip(words[part].tolist(), ids[part].tolist(), strict=True)


def _ask(path: Path, bits: NDArray[np.uint8]) -> tuple[list[float], int]:
    rng = np.random.default_rng(1)
    times, found = [], 0
    with closing(Database(f"sqlite:///{path}")) as database:
        for number in islice(rng.permutation(len(bits)), ASKED):
            changed = np.unpackbits(bits[number])
            changed[rng.choice(256, FLIPPED[len(times) % len(FLIPPED)], replace=False)] ^= 1
            asked = np.packbits(changed).tobytes()
            started = time.perf_counter()
            with database.read() as session:
                hits = hashes._near(session, asked)
            times.append((time.perf_counter() - started) * 1000)
            found += number + 1 in {hit.id for hit in hits}
    return sorted(times), found
