"""Starting and ending: what a person at a terminal meets."""

from __future__ import annotations

import os
import signal
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from server.store.db import Database
from tests.faults.tree import TOY, Tree
from tests.server.worker import toys

pytestmark = pytest.mark.fault

SECONDS = 5.0


@pytest.fixture
def tree(tmp_path: Path) -> Iterator[Tree]:
    made = Tree(tmp_path / "data", TOY)
    yield made
    if made.process is not None:
        made.kill("tree")


@pytest.fixture
def database(tree: Tree, tmp_path: Path) -> Iterator[Database]:
    tree.start()
    made = Database(f"sqlite:///{tmp_path / 'data' / 'unmask.db'}")
    yield made
    made.close()


def running(database: Database, *check_ids: str) -> bool:
    return all(toys.row(database, check_id).state == "decoding" for check_id in check_ids)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_everything_within_five_seconds(tree: Tree, database: Database, number: signal.Signals) -> None:
    slow = toys.submit(database, "https://example.org/slow")
    toys.until(lambda: running(database, slow))
    toys.until(lambda: "child" in tree.pids().values())
    assert tree.process is not None
    tree.process.send_signal(number)
    assert tree.process.wait(SECONDS) == 0
    assert tree.left(0.0) == {}
    back = toys.row(database, slow)
    assert (back.state, back.owner, back.alone_attempts) == ("queued", None, 0)


def test_children_end_when_the_supervisor_is_killed(tree: Tree, database: Database) -> None:
    slow = toys.submit(database, "https://example.org/slow")
    toys.until(lambda: running(database, slow))
    tree.kill("supervisor")
    assert tree.left(SECONDS) == {}


def test_a_second_start_is_quick_and_takes_up_what_was_left(tree: Tree, database: Database, tmp_path: Path) -> None:
    slow = toys.submit(database, "https://example.org/slow")
    toys.until(lambda: running(database, slow))
    tree.kill("tree")
    left = tmp_path / "data" / "spool" / "left-over"
    left.parent.mkdir(exist_ok=True)
    left.write_bytes(b"an upload that no check names")
    assert tree.start() < SECONDS
    toys.until(lambda: toys.row(database, slow).attempt == 2)
    assert not left.exists()


def test_a_poisoned_check_is_given_up_and_its_neighbours_are_done(tree: Tree, database: Database) -> None:
    poison = toys.submit(database, "https://example.org/poison")
    others = [toys.submit(database, f"https://example.org/{n}") for n in range(6)]
    toys.until(lambda: toys.row(database, poison).state == "failed", seconds=40)
    assert (toys.row(database, poison).error or {})["code"] == "worker_lost"
    assert toys.row(database, poison).alone_attempts == 3
    toys.until(lambda: all(toys.row(database, other).state == "complete" for other in others), seconds=20)


def test_a_taken_port_is_said_in_one_line(tree: Tree) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", tree.port))
        other.listen()
        assert tree.launch().wait(15) == 1
    lines = tree.log.read_text().splitlines()
    assert [line for line in lines if "UNMASK_PORT" in line and str(tree.port) in line]
    assert "Traceback" not in tree.log.read_text()


@pytest.mark.usefixtures("database")
def test_one_folder_has_one_server(tree: Tree, tmp_path: Path) -> None:
    second = Tree(tmp_path / "data", TOY)
    assert second.launch().wait(15) == 1
    assert "UNMASK_DATA_DIR" in second.log.read_text()
    assert tree.process is not None
    assert tree.process.poll() is None
    os.kill(tree.process.pid, 0)
