"""The short form, for `make test`; the long one is tests/bench/bench_faults.py."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from server.errors import DatabaseBusy
from server.store.db import Database
from tests.faults import faults
from tests.faults.tree import TOY, Tree
from tests.server.worker import toys

pytestmark = pytest.mark.fault


def test_accepted_checks_are_done_once_whatever_is_killed(tmp_path: Path) -> None:
    tree = Tree(tmp_path / "data", TOY, max_attempts=20)
    tree.start()
    database = Database(f"sqlite:///{tmp_path / 'data' / 'unmask.db'}")

    def submit(number: int) -> str | None:
        try:
            return toys.submit(database, f"https://example.org/{number}", priority=random.choice((0, 5)))
        except DatabaseBusy:
            return None

    try:
        outcome = faults.run(tree, database, submit, kills=6, pause=0.4, seed=20261121)
    finally:
        database.close()
        tree.kill("tree")
    print(outcome.table())
    assert outcome.states == {"complete": len(outcome.accepted)}, outcome.table()
    assert outcome.twice == 0
    assert outcome.orphans == {}
    assert outcome.interrupted > 0, "nothing was hit: the test proves nothing"
    assert max(max(seconds) for seconds in outcome.recovered.values()) < 15
    assert outcome.end_seconds < 5
