"""Starts a whole server, knows every process of it, and kills them."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from tests.served import UNMASK, Served

REAL = (UNMASK, "serve")
# Enters no result here; what is served need not be trained first.
CALIBRATION = Path(__file__).parent.parent / "models" / "flagging_calibration.toml"
TOY = (sys.executable, "-m", "tests.faults.toy_serve", "serve")


class Tree(Served):
    """A `Served` whose processes are known by their environment, and those below them by descent."""

    def __init__(self, data_dir: Path, command: Sequence[str] = REAL, **settings: object) -> None:
        super().__init__(data_dir, calibration=CALIBRATION, **settings)
        self.command = command
        self._sign = f"UNMASK_DATA_DIR={data_dir}".encode()
        self._seen: dict[int, str] = {}  # pid -> when it started: a number may be given anew

    def launch(self) -> subprocess.Popen[bytes]:
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                self.command, env=self.env, stdout=log, stderr=log, stdin=subprocess.DEVNULL
            )
        return self.process

    def start(self, seconds: float = 30.0) -> float:
        """Seconds until it was ready."""
        started = time.monotonic()
        process = self.launch()
        while not self._ready():
            assert process.poll() is None, self.log.read_text()
            assert time.monotonic() < started + seconds, self.log.read_text()
            time.sleep(0.02)  # no event tells that a port answers
        return time.monotonic() - started

    def answers(self) -> bool:
        return self._ready()

    def pids(self) -> dict[int, str]:
        """pid -> role: supervisor, web, worker, or child for anything below them."""
        table = dict(_processes())
        found: dict[int, str] = {}
        for pid, (parent, started) in sorted(table.items()):
            if parent in found or self._seen.get(pid) == started or self._is_ours(pid):
                found[pid] = _role(pid)
                self._seen[pid] = started
        return found

    def kill(self, role: str) -> list[int]:
        """kill -9 every process of that role at once; `tree` means all, the supervisor first."""
        assert self.process is not None
        first = self.process.pid
        pids = sorted((pid for pid, has in self.pids().items() if role in ("tree", has)), key=lambda pid: pid != first)
        for pid in pids:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        if first in pids:
            self.process.wait(10)
        return pids

    def left(self, seconds: float) -> dict[int, str]:
        """What is still there after so long; empty as soon as nothing is."""
        end = time.monotonic() + seconds
        while (left := self.pids()) and time.monotonic() < end:
            time.sleep(0.05)  # nobody tells when another's child has ended
        return left

    def _is_ours(self, pid: int) -> bool:
        with contextlib.suppress(OSError):
            return self._sign in Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")
        return False


def _processes() -> list[tuple[int, tuple[int, str]]]:
    """pid -> parent and start time; no zombies, they have ended."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            state, parent, *rest = (folder / "stat").read_text().rpartition(")")[2].split()
            if state != "Z":
                found.append((int(folder.name), (int(parent), rest[17])))
    return found


def _role(pid: int) -> str:
    with contextlib.suppress(OSError):
        words = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
        for word, role in ((b"web", "web"), (b"worker", "worker"), (b"serve", "supervisor")):
            if word in words:
                return role
    return "child"
