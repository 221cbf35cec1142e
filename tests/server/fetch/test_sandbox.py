from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from server.errors import ChildDied, ChildTimeout, NoMedia
from server.fetch.sandbox import Limits, Sandbox
from tests.server.fetch.server import Server

MiB = 1024 * 1024
LIMITS = Limits(memory_bytes=1024 * MiB, file_bytes=MiB, cpu_seconds=20, open_files=64)
Start = Callable[..., Sandbox]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    with ExitStack() as stack:

        def run(seconds: float = 20.0) -> Sandbox:
            children = {"PYTHONPATH": str(Path(__file__).with_name("children"))}
            child = Sandbox("odd", tmp_path, seconds, LIMITS, max_payload=4 * MiB, environment=children)
            return stack.enter_context(child)

        yield run


def group(number: int) -> list[int]:
    """Living members of a process group. A zombie is dead: whoever adopted it has yet to be told."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            state, _, its_group = (folder / "stat").read_text().rpartition(")")[2].split()[:3]
        except OSError:  # gone meanwhile
            continue
        if int(its_group) == number and state not in "ZX":
            found.append(int(folder.name))
    return found


def wait_until(true: Callable[[], bool], seconds: float = 10.0) -> None:
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end
        time.sleep(0.01)  # another process's death has no event of ours


def test_messages_go_there_and_back(start: Start) -> None:
    child = start()
    for size in (0, 1, 3 * MiB):
        child.send({"do": "echo", "say": "ünï", "payload": size})
        head, payload = child.receive()
        assert head == {"type": "echo", "said": "ünï"}
        assert len(payload) == size


def test_a_child_has_its_own_limits_and_environment(
    start: Start, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("http_proxy", "http://proxy.example")
    monkeypatch.setenv("UNMASK_SECRET", "s")
    child = start()
    child.send({"do": "describe"})
    told, _ = child.receive()
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
    child.send({"do": "grow"})
    assert child.receive()[0] == {"type": "refused"}


def test_an_error_is_raised_as_what_it_is(start: Start) -> None:
    child = start()
    child.send({"do": "fail"})
    with pytest.raises(NoMedia) as caught:
        child.receive()
    assert caught.value.details == {"here": 1}
    child.send({"do": "echo", "say": "still here", "payload": 0})
    assert child.receive()[0]["said"] == "still here"


@pytest.mark.parametrize(
    ("do", "exit_name"), [("die", "SIGSEGV"), ("leave", "status 3"), ("no_such_thing", "status 1")]
)
def test_a_death_is_named(start: Start, do: str, exit_name: str) -> None:
    child = start()
    child.send({"do": do})
    with pytest.raises(ChildDied) as caught:
        child.receive()
    assert caught.value.details == {"exit": exit_name}
    if do == "die":
        assert "the last words" in caught.value.__notes__[0]
    with pytest.raises(ChildDied):
        child.send({"do": "echo"})
    assert group(child.pid) == []


def test_nonsense_ends_the_child(start: Start) -> None:
    child = start()
    child.send({"do": "babble"})
    with pytest.raises(ChildDied) as caught:
        child.receive()
    assert "message of" in caught.value.details["exit"]
    assert group(child.pid) == []


def test_at_the_deadline_the_whole_group_is_killed(start: Start) -> None:
    child = start(seconds=1.5)
    child.send({"do": "hang"})
    helper = child.receive()[0]["helper"]
    assert set(group(child.pid)) == {child.pid, helper}
    with pytest.raises(ChildTimeout):
        child.receive()
    wait_until(lambda: group(child.pid) == [])


def test_closing_kills_the_whole_group(start: Start) -> None:
    child = start()
    child.send({"do": "hang"})
    child.receive()
    child.close()
    wait_until(lambda: group(child.pid) == [])
    child.close()


def test_it_can_be_cancelled_from_another_thread(start: Start) -> None:
    child = start()
    child.send({"do": "hang"})
    child.receive()
    threading.Thread(target=child.kill).start()
    with pytest.raises(ChildDied) as caught:
        child.receive()
    assert caught.value.details == {"exit": "SIGKILL"}


@pytest.mark.parametrize("busy", [False, True])
def test_nothing_outlives_a_killed_parent(tmp_path: Path, busy: bool) -> None:
    """The parent here is a Python of its own that holds a hanging child, and is then killed."""
    script = f"""
import sys
from pathlib import Path
from server.fetch.sandbox import Limits, Sandbox
child = Sandbox("odd", Path({str(tmp_path)!r}), 60, Limits({LIMITS.memory_bytes}, {MiB}, 20),
                environment={{"PYTHONPATH": {str(Path(__file__).with_name("children"))!r}}})
child.send({{"do": "hang", "busy": {busy}}})
child.receive()
print(child.pid, flush=True)
child.receive()
"""
    with subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE) as parent:
        assert parent.stdout is not None
        number = int(parent.stdout.readline())
        assert len(group(number)) == 2
        os.kill(parent.pid, signal.SIGKILL)
    wait_until(lambda: group(number) == [])


def test_the_guard_lets_through_what_it_should(start: Start, web: Server) -> None:
    child = start()
    child.send({"do": "attempt", "allow": "127.0.0.1/32", "port": web.server_port})
    told, _ = child.receive()
    assert told["outcome"].pop("allowed") == "done"
    assert set(told["outcome"].values()) == {"Blocked"}
    assert told["first"] == "loopback"
