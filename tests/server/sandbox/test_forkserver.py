from __future__ import annotations

import os
import signal
import socket
import sys
from pathlib import Path

import pytest

from server.errors import ChildDied
from server.sandbox.forkserver import ForkServer
from server.sandbox.zygote import Zygote
from tests.server.sandbox.conftest import CHILDREN, LIMITS, MiB, Start
from tests.server.sandbox.test_box import group
from tests.server.worker.toys import until


def test_a_child_has_its_own_limits_files_and_environment(
    start: Start, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("http_proxy", "http://proxy.example")
    monkeypatch.setenv("UNMASK_SECRET", "s")
    told, _ = start("describe").receive()
    assert told["limits"] == {
        "RLIMIT_AS": 1024 * MiB,
        "RLIMIT_FSIZE": MiB,
        "RLIMIT_CPU": 20,
        "RLIMIT_NOFILE": 64,
        "RLIMIT_CORE": 0,
    }
    assert set(told["environment"]) - {"LC_CTYPE"} == {"LANG", "HOME", "TMPDIR", "PATH", "PYTHONPATH"}
    assert told["cwd"] == str(tmp_path)
    assert "" not in told["path"]
    assert told["open"] == [0, 1, 2, 4]  # nothing, stderr twice, and where it answers


def test_a_killed_zygote_is_replaced(tmp_path: Path) -> None:
    with ForkServer("odd", environment={"PYTHONPATH": str(CHILDREN)}) as forks:
        with forks.start({"do": "hang"}, tmp_path, 20, LIMITS) as child:
            number = child.receive()[0]["pid"]
            assert forks._zygote is not None
            os.kill(forks._zygote.pid, signal.SIGKILL)
            with pytest.raises(ChildDied) as caught:
                child.receive()
            assert caught.value.details == {"exit": "unknown"}
            until(lambda: group(number) == [])
        with forks.start({"do": "echo", "say": "again", "payloads": [0]}, tmp_path, 20, LIMITS) as child:
            assert child.receive()[0]["said"] == "again"


def test_a_child_may_be_let_go_in_the_moment_it_dies() -> None:
    """One look may tell of its death first, and then of the leash that is no longer there."""
    control, far = socket.socketpair()
    leash, held = socket.socketpair()
    with control, far, held:
        zygote = Zygote(control, "odd", [], {})
        child = os.posix_spawn(sys.executable, [sys.executable, "-c", ""], os.environ)
        zygote._leashes[child] = leash
        while zygote._leashes:
            zygote._bury()
        zygote._let_go(child)
        assert b'"exit": 0' in held.recv(100)


def test_closing_ends_every_child(tmp_path: Path) -> None:
    with ForkServer("odd", environment={"PYTHONPATH": str(CHILDREN)}) as forks:
        children = [forks.start({"do": "hang"}, tmp_path, 20, LIMITS) for _ in range(3)]
        numbers = [child.receive()[0]["pid"] for child in children]
    until(lambda: not any(map(group, numbers)))
    for child in children:
        child.close()


def test_what_is_named_is_imported_while_idle(tmp_path: Path) -> None:
    with ForkServer("odd", ["colorsys"], environment={"PYTHONPATH": str(CHILDREN)}) as forks:

        def imported() -> bool:
            expression = "'colorsys' in __import__('sys').modules"
            with forks.start({"do": "attempt", "expression": expression}, tmp_path, 20, LIMITS) as child:
                return bool(child.receive()[0]["outcome"] == "True")

        until(imported)


def test_what_cannot_be_imported_fails_only_who_needs_it(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    with ForkServer("odd", ["no_such_module"], environment={"PYTHONPATH": str(CHILDREN)}) as forks:
        until(lambda: forks.warm() or "no_such_module" in capfd.readouterr().err)
        with forks.start({"do": "echo", "say": "fine", "payloads": [0]}, tmp_path, 20, LIMITS) as child:
            assert child.receive()[0]["said"] == "fine"


def test_an_entry_point_that_is_missing(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    with ForkServer("no_such_module") as forks, pytest.raises(ChildDied):
        forks.start({}, tmp_path, 20, LIMITS).receive()
    capfd.readouterr()
