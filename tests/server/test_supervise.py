from __future__ import annotations

import subprocess
import sys
import time

import pytest

from server.supervise import LONGEST_PAUSE, QUICK_RESTARTS, Child

DIES = [sys.executable, "-S", "-c", "raise SystemExit(3)"]


def test_the_first_deaths_are_answered_at_once_and_later_ones_later() -> None:
    died: list[int] = []
    child = Child("toy", DIES, died=died.append)
    now, pauses = 1000.0, []
    for _ in range(QUICK_RESTARTS + 9):
        child.due = 0.0
        child.look(now, set)
        assert child.process is not None
        child.started = now
        child.process.wait(10)
        child.due = now + 3600  # not restarted by the look that finds it dead
        child.look(now, set)
        pauses.append(child.due - now)
    assert len(died) == len(pauses) == len(set(died))
    assert pauses[: QUICK_RESTARTS - 1] == [0.0] * (QUICK_RESTARTS - 1)
    assert pauses[QUICK_RESTARTS:] == sorted(pauses[QUICK_RESTARTS:])
    assert pauses[-1] == LONGEST_PAUSE


def test_a_long_life_clears_the_record() -> None:
    child = Child("toy", DIES, deaths=12)
    child.start()
    assert child.process is not None
    child.process.wait(10)
    child.look(child.started + 60, set)
    assert child.deaths == 1
    child.process.wait(10)


def test_what_cannot_be_started_is_tried_later() -> None:
    child = Child("toy", ["/nowhere/at/all"])
    child.look(5.0, set)
    assert child.process is None
    assert child.due == 5.0 + LONGEST_PAUSE


@pytest.mark.skipif(sys.platform != "linux", reason="the kernel's help exists on Linux only")
def test_orphans_are_adopted_and_ended() -> None:
    program = """
import os, subprocess, sys, time
from server import lineage
lineage.adopt_orphans()
middle = subprocess.Popen(["sh", "-c", "setsid sleep 300.5 & echo $!"], stdout=subprocess.PIPE, text=True)
orphan = int(middle.stdout.readline())
middle.wait()
while orphan not in lineage.children():
    time.sleep(0.01)
print(lineage.end_orphans({middle.pid}) == [orphan], lineage.children(), os.path.exists(f"/proc/{orphan}"))
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=20, check=True)
    assert done.stdout.split() == ["True", "[]", "False"]


@pytest.mark.parametrize("kernel", [True, False])
def test_a_child_ends_with_its_parent(kernel: bool) -> None:
    """With the kernel's help, and by looking."""
    child = f"""
import os, signal, threading
from server import lineage
if not {kernel}:
    lineage._prctl = lambda *a: None
lineage.end_with_parent(os.getppid(), signal.SIGKILL)
print(os.getpid(), flush=True)
threading.Event().wait(60)
"""
    parent = f"import subprocess, sys; subprocess.Popen([sys.executable, '-c', {child!r}]).wait()"
    process = subprocess.Popen([sys.executable, "-c", parent], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline()
    process.kill()
    end = time.monotonic() + 5
    # The pipe closes when the last process that holds it has ended.
    assert process.stdout.read() == ""
    assert time.monotonic() < end
    process.stdout.close()
    process.wait(5)
