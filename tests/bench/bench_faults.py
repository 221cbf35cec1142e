"""The long form of the fault test: many kills at random, how fast each was recovered from, and the books."""

from __future__ import annotations

from pathlib import Path

from server.errors import DatabaseBusy
from server.store.db import Database
from tests.faults import faults
from tests.faults.tree import TOY, Tree
from tests.server.worker import toys

KILLS = 60


def main(folder: Path) -> None:
    tree = Tree(folder / "data", TOY, max_attempts=20)
    tree.start()
    database = Database(f"sqlite:///{folder / 'data' / 'unmask.db'}")

    def submit(number: int) -> str | None:
        try:
            return toys.submit(database, f"https://example.org/{number}", priority=number % 2 * 5)
        except DatabaseBusy:
            return None

    try:
        outcome = faults.run(tree, database, submit, kills=KILLS, pause=0.5, seed=1)
    finally:
        database.close()
        tree.kill("tree")
    print(outcome.table(), flush=True)
    assert outcome.sound, "the table above says what was lost, done twice or left behind"
