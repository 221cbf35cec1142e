"""The long form of the fault test: how fast a check starts, many kills at random, and the books."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path
from statistics import median

from server.store.db import Database
from tests.bench.table import show
from tests.faults import faults, submitting
from tests.faults.tree import REAL, TOY, Tree
from tests.server.worker import toys

KILLS = 40
STARTS = 40


def main(folder: Path) -> None:
    for name, command, pause in (("rows", TOY, 0.5), ("line", REAL, 1.0)):
        place = folder / name
        place.mkdir()
        tree = Tree(place / "data", command, max_attempts=20, rate_checks="100000/minute")
        database = Database(f"sqlite:///{place / 'data' / 'unmask.db'}")
        try:
            with tree:
                submit = submitting.rows(database) if command == TOY else submitting.uploads(tree, place)
                if command == TOY:
                    _starts(database)
                outcome = faults.run(tree, database, submit, kills=KILLS, pause=pause, seed=1)
        finally:
            database.close()
            tree.kill("tree")
        print(f"{name}\n{outcome.table()}", flush=True)
        assert outcome.sound, "the table above says what was lost, done twice or left behind"


def _starts(database: Database) -> None:
    """From the commit of a row to its claim, on an idle server; looked at every two milliseconds."""
    waits = [_start(database, number) for number in range(STARTS)]
    show([("row committed to check started, median ms", f"{median(waits) * 1000:.0f}", f"worst {_worst(waits)}")])


def _start(database: Database, number: int) -> float:
    check_id = toys.submit(database, f"https://example.org/start/{number}")
    started = time.monotonic()
    while toys.row(database, check_id).state == "queued":
        time.sleep(0.002)
    waited = time.monotonic() - started
    toys.until(lambda: toys.row(database, check_id).state == "complete")
    return waited


def _worst(waits: Sequence[float]) -> str:
    return f"{max(waits) * 1000:.0f}"
