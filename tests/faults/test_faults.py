"""The short form, for `make test`; the long one is tests/bench/bench_faults.py."""

from __future__ import annotations

from pathlib import Path

import pytest

from server.store.db import Database
from tests.faults import faults, submitting
from tests.faults.tree import REAL, TOY, Tree

pytestmark = pytest.mark.fault


@pytest.mark.parametrize(("command", "kills"), [(TOY, 4), (REAL, 5)], ids=["rows", "line"])
def test_accepted_checks_are_done_once_whatever_is_killed(tmp_path: Path, command: tuple[str, ...], kills: int) -> None:
    """`rows`: stand-ins for web and run, many short checks. `line`: pictures through the API, the real run."""
    tree = Tree(tmp_path / "data", command, max_attempts=20, rate_checks="100000/minute")
    database = Database(f"sqlite:///{tmp_path / 'data' / 'unmask.db'}")
    try:
        with tree:
            submit = submitting.rows(database) if command == TOY else submitting.uploads(tree, tmp_path)
            outcome = faults.run(tree, database, submit, kills=kills, pause=0.4, seed=20261121)
    finally:
        database.close()
        tree.kill("tree")
    print(outcome.table())
    assert outcome.sound, outcome.table()
    assert outcome.interrupted > 0, "nothing was hit: the test proves nothing"
    assert max(max(seconds) for seconds in outcome.recovered.values()) < faults.GOAL_SECONDS
    assert outcome.end_seconds < 5
