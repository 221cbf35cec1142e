"""Checks are submitted without pause while processes are killed at random; then the books are balanced."""

from __future__ import annotations

import random
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from statistics import median

from sqlalchemy import func, select

from server.errors import DatabaseBusy
from server.store.db import Database
from server.store.tables import Check, VerdictRow
from tests.faults.tree import Tree

Submit = Callable[[int], str | None]  # number -> id of the accepted check; None: not accepted
GOAL_SECONDS = 30.0


@dataclass
class Outcome:
    """What the harness saw, role by role."""

    kills: Counter[str] = field(default_factory=Counter)
    recovered: dict[str, list[float]] = field(default_factory=dict)
    refused: int = 0
    accepted: list[str] = field(default_factory=list)
    states: Counter[str] = field(default_factory=Counter)
    twice: int = 0  # media with more than one current verdict, or more than one version
    interrupted: int = 0  # checks that needed more than one attempt
    end_seconds: float = 0.0
    orphans: dict[int, str] = field(default_factory=dict)

    @property
    def sound(self) -> bool:
        """Accepted is done, nothing twice, nothing left behind."""
        return self.states == {"complete": len(self.accepted)} and not self.twice and not self.orphans

    def table(self) -> str:
        lines = [f"{'killed':<12}{'times':>6}{'median s':>10}{'worst s':>9}"]
        for role, seconds in sorted(self.recovered.items()):
            lines.append(f"{role:<12}{self.kills[role]:>6}{median(seconds):>10.2f}{max(seconds):>9.2f}")
        return "\n".join(
            [
                *lines,
                f"accepted {len(self.accepted)}, ended {dict(self.states)}, interrupted {self.interrupted},"
                f" refused {self.refused}, twice {self.twice}, left behind {len(self.orphans)},"
                f" ended in {self.end_seconds:.2f} s",
            ]
        )


class Submitter(threading.Thread):
    def __init__(self, submit: Submit, outcome: Outcome, pause: float) -> None:
        super().__init__(daemon=True)
        self._submit, self._outcome, self._pause = submit, outcome, pause
        self._stopping = threading.Event()

    def run(self) -> None:
        number = 0
        while not self._stopping.wait(self._pause):
            number += 1
            accepted = self._submit(number)
            if accepted is None:
                self._outcome.refused += 1
            else:
                self._outcome.accepted.append(accepted)

    def stop(self) -> None:
        self._stopping.set()
        self.join(60)
        assert not self.is_alive()


def run(tree: Tree, database: Database, submit: Submit, *, kills: int, pause: float, seed: int) -> Outcome:
    """`submit` is called every `pause` seconds until the last kill has been recovered from."""
    luck = random.Random(seed)
    outcome = Outcome()
    submitter = Submitter(submit, outcome, pause)
    submitter.start()
    try:
        for role in _roles(luck, kills):
            _until(lambda: _running(database), "nothing runs")  # kill in the middle of work
            time.sleep(luck.uniform(0.0, 0.8))  # a moment by chance is what is tested
            outcome.recovered.setdefault(role, []).append(_kill(tree, database, role))
            outcome.kills[role] += 1
    finally:
        submitter.stop()
    _until(lambda: not _active(database), "checks are still under way", seconds=GOAL_SECONDS + len(outcome.accepted))
    _balance(database, outcome)
    outcome.end_seconds = tree.stop()
    outcome.orphans = tree.left(1.0)
    return outcome


def _roles(luck: random.Random, kills: int) -> list[str]:
    """Each kind at least once, in random order."""
    kinds = ["worker", "web", "tree", "supervisor"]
    roles = kinds + luck.choices(kinds, weights=[4, 2, 2, 1], k=max(0, kills - len(kinds)))
    luck.shuffle(roles)
    return roles[:kills]


def _kill(tree: Tree, database: Database, role: str) -> float:
    """Seconds from the kill until it works again: the port answers and the interrupted checks were taken up."""
    held = _running(database)
    started = time.monotonic()
    tree.kill(role)
    if role in ("tree", "supervisor"):
        left = tree.left(5.0)
        assert not left, f"without their supervisor these went on: {left}"
        tree.start()
    if role != "web":
        _until(lambda: _taken_up(database, held), f"after the kill of {role}, {held} were not taken up")
    _until(tree.answers, "the port does not answer")
    return time.monotonic() - started


def _running(database: Database) -> dict[str, int]:
    """id -> attempt of the checks under way."""
    with database.read() as session:
        rows = session.execute(
            select(Check.id, Check.attempt).where(Check.state.in_(("fetching", "decoding", "analyzing")))
        ).all()
    return {row.id: row.attempt for row in rows}


def _taken_up(database: Database, held: dict[str, int]) -> bool:
    """Every one of them has ended or is at a later attempt."""
    now = _running(database)
    with database.read() as session:
        waiting = set(session.scalars(select(Check.id).where(Check.state == "queued")))
    return not (waiting & held.keys()) and all(now.get(check_id) != attempt for check_id, attempt in held.items())


def _active(database: Database) -> int:
    with database.read() as session:
        return session.scalar(select(func.count()).select_from(Check).where(Check.finished_at.is_(None))) or 0


def _balance(database: Database, outcome: Outcome) -> None:
    with database.read() as session:
        for check_id in outcome.accepted:
            check = session.get(Check, check_id)
            outcome.states[check.state if check else "lost"] += 1
            outcome.interrupted += bool(check and check.attempt > 1)
        versions = select(VerdictRow.media_id).group_by(VerdictRow.media_id, VerdictRow.variant)
        outcome.twice = len(session.scalars(versions.having(func.count() > 1)).all())


def _until(condition: Callable[[], object], message: str, seconds: float = GOAL_SECONDS) -> None:
    end = time.monotonic() + seconds
    while True:
        try:
            if condition():
                return
        except DatabaseBusy:
            pass  # the look is repeated
        assert time.monotonic() < end, message
        time.sleep(0.02)  # a row has no event for other processes
