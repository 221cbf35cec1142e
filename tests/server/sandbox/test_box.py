from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from server.errors import ChildDied, ChildTimeout, NoMedia
from tests.server.sandbox.conftest import CHILDREN, LIMITS, MiB, Start
from tests.server.worker.toys import until


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


def test_messages_arrive_whole(start: Start) -> None:
    sizes = (0, 1, 3 * MiB)
    child = start("echo", say="ünï", payloads=sizes)
    for size in sizes:
        head, payload = child.receive()
        assert head == {"type": "echo", "said": "ünï"}
        assert len(payload) == size


def test_an_error_is_raised_as_what_it_is(start: Start) -> None:
    with pytest.raises(NoMedia) as caught:
        start("fail").receive()
    assert caught.value.details == {"here": 1}


@pytest.mark.parametrize(
    ("do", "exit_name"), [("die", "SIGSEGV"), ("leave", "status 3"), ("no_such_thing", "status 1")]
)
def test_a_death_is_named(start: Start, do: str, exit_name: str) -> None:
    child = start(do)
    with pytest.raises(ChildDied) as caught:
        child.receive()
    assert caught.value.details == {"exit": exit_name}
    if do == "die":
        assert "the last words" in caught.value.__notes__[0]
    with pytest.raises(ChildDied):
        child.receive()


def test_nonsense_ends_the_child(start: Start) -> None:
    with pytest.raises(ChildDied) as caught:
        start("babble").receive()
    assert "message of" in caught.value.details["exit"]


def test_at_the_deadline_it_is_dead(start: Start) -> None:
    child = start("hang", seconds=1.5)
    number = child.receive()[0]["pid"]
    assert number in group(number)
    with pytest.raises(ChildTimeout):
        child.receive()
    assert group(number) == []


def test_closing_returns_when_it_is_dead(start: Start) -> None:
    child = start("hang")
    number = child.receive()[0]["pid"]
    child.close()
    assert group(number) == []
    child.close()


def test_it_can_be_cancelled_from_another_thread(start: Start) -> None:
    child = start("hang")
    child.receive()
    threading.Thread(target=child.kill).start()
    with pytest.raises(ChildDied) as caught:
        child.receive()
    assert caught.value.details == {"exit": "SIGKILL"}


SCRIPT = f"""
import sys
from pathlib import Path
from server.sandbox.confine import Limits
from server.sandbox.forkserver import ForkServer
forks = ForkServer("odd", environment={{"PYTHONPATH": {str(CHILDREN)!r}}})
child = forks.start({{"do": "hang", "busy": sys.argv[2] == "busy"}}, Path(sys.argv[1]), 60, Limits(2**30, 2**20, 20))
print(child.receive()[0]["pid"], forks._zygote.pid, flush=True)
child.receive()
"""


@pytest.mark.parametrize("killed", ["parent", "zygote", "both"])
@pytest.mark.parametrize("how", ["idle", "busy"])
def test_nothing_outlives_a_killed_parent(tmp_path: Path, killed: str, how: str) -> None:
    """The parent here is a Python of its own that holds a hanging child."""
    with subprocess.Popen(
        [sys.executable, "-c", SCRIPT, str(tmp_path), how], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    ) as parent:
        assert parent.stdout is not None
        child, zygote = map(int, parent.stdout.readline().split())
        assert group(child)
        for pid in {"parent": [parent.pid], "zygote": [zygote], "both": [parent.pid, zygote]}[killed]:
            os.kill(pid, signal.SIGKILL)
        until(lambda: group(child) == [] and group(zygote) == [])


def test_limits_of_memory_and_files(start: Start) -> None:
    assert start("grow").receive()[0] == {"type": "refused"}
    told, _ = start("write").receive()
    assert told["size"] <= LIMITS.file_bytes
