"""What holds a child, said in words: each protection, whether it holds on this machine, and what to do if not."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from server.sandbox.confine import Limits
from server.sandbox.forkserver import ForkServer

# name, what it keeps a child from, what to do where it is missing
_TABLE: Final = (
    ("network", "no connection but through the vetting proxy", "seccomp or network namespaces"),
    ("reading", "no files but programs, libraries and the one in hand", "Landlock (Linux 5.13, in the list of LSMs)"),
    ("writing", "no files outside its own folder", "Landlock (Linux 5.13, in the list of LSMs)"),
    ("programs", "no programs, no processes", "seccomp"),
    ("signals", "no signals to other processes", "seccomp"),
    ("privileges", "an ordinary user that can become no other", "Landlock and no_new_privs, or start it as a user"),
    ("limits", "bounded memory, files and CPU time", "resource limits"),
)
_LIMITS: Final = Limits(memory_bytes=1 << 30, file_bytes=1 << 20, cpu_seconds=10)
_SECONDS: Final = 20.0


@dataclass(frozen=True)
class Protection:
    name: str
    keeps: str  # what it means for a child
    needs: str  # of the kernel
    broken: str | None  # what a child could do all the same, None: it holds

    @property
    def sentence(self) -> str:
        return f"{self.name}: a child {self.broken}; this needs {self.needs}"


@dataclass(frozen=True)
class Findings:
    protections: tuple[Protection, ...]
    refused: dict[str, str]  # layers that the kernel does not grant, though another may hold the same: why

    @property
    def missing(self) -> list[Protection]:
        return [each for each in self.protections if each.broken]


def try_out() -> Findings:
    """Starts a child that tries what it must not be able to do: a tenth of a second."""
    with tempfile.TemporaryDirectory(prefix="unmask-") as outside, ForkServer("server.sandbox.trial") as forks:
        secret = Path(outside, "secret")
        secret.write_text("secret")
        own = Path(outside, "own")
        own.mkdir()
        with forks.start({"secret": str(secret)}, own, _SECONDS, _LIMITS) as child:
            head, _ = child.receive()
    succeeded = dict(head["succeeded"])
    protections = (Protection(name, keeps, needs, succeeded.get(name)) for name, keeps, needs in _TABLE)
    return Findings(tuple(protections), dict(head["refused"]))
