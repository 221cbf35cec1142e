"""The kernel's part: what a child may touch, given up layer by layer, before it reads anything hostile.

Each layer holds without the others: the network is out of reach by the namespace, by Landlock and by the filter.
"""

from __future__ import annotations

import contextlib
import os
import resource
import signal
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from server.sandbox import landlock, seccomp, syscalls

_LIMITS: Final = {
    "memory_bytes": resource.RLIMIT_AS,
    "file_bytes": resource.RLIMIT_FSIZE,
    "cpu_seconds": resource.RLIMIT_CPU,
    "open_files": resource.RLIMIT_NOFILE,
}
# Shared libraries, certificates, time zones: of the system, and read by everybody.
_SYSTEM: Final = ("/usr", "/lib", "/lib64", "/etc/ssl", "/etc/pki", "/etc/ld.so.cache", "/etc/localtime")
_DEVICES: Final = ("/dev/null", "/dev/urandom", "/dev/random", "/dev/zero")


@dataclass(frozen=True)
class Limits:
    memory_bytes: int  # of address space
    file_bytes: int  # of one file it writes
    cpu_seconds: int
    open_files: int = 128


@dataclass(frozen=True)
class Plan:
    """What one child may do."""

    folder: str  # it may write there, and starts there
    reads: tuple[str, ...]  # files outside that it may read
    limits: Limits
    uid: int | None  # whom to become, for a parent that is root
    strict: bool  # end the child when the kernel refuses a layer


def confine(plan: Plan, parent: int) -> dict[str, str]:
    """Takes effect for this process, which must have one thread. Returns the layers the kernel refused, and why."""
    refused: dict[str, str] = {}

    def layer(name: str, take: Callable[[], object]) -> None:
        try:
            take()
        except OSError as error:
            if plan.strict:
                raise
            refused[name] = error.strerror or str(error)

    files: list[landlock.Ruleset] = []
    layer("landlock", lambda: files.append(_files(plan)))  # rules name paths, which the new user could not look up
    os.chdir(plan.folder)
    _take_limits(plan.limits)
    if files:
        layer("user", lambda: _become(plan))
    if sys.platform == "linux":
        # Under another user look-ups stay possible, where Landlock says of what: Python itself may lie in root's home.
        syscalls.keep_capabilities(syscalls.CAP_DAC_READ_SEARCH if os.geteuid() == plan.uid else 0)
    layer("no_new_privileges", lambda: syscalls.prctl(syscalls.PR_SET_NO_NEW_PRIVS, 1))
    layer("parent_death", lambda: _end_with(parent))
    for ruleset in files:
        layer("landlock", ruleset.enforce)
    layer("seccomp", seccomp.install)
    return refused


def _files(plan: Plan) -> landlock.Ruleset:
    ruleset = landlock.Ruleset()
    ruleset.allow(_program_files(), landlock.READ)
    ruleset.allow([Path(name) for name in (*_SYSTEM, *_DEVICES, *plan.reads)], landlock.READ)
    ruleset.allow([Path("/dev/null")], landlock.WRITE)
    ruleset.allow([Path(plan.folder)], landlock.WRITE)
    return ruleset


def _program_files() -> Sequence[Path]:
    """Python's own, and the packages that are imported by now: not the folder they lie in, which may hold the data."""
    packages = {name.partition(".")[0] for name in sys.modules}
    places = {Path(place) for name in packages for place in getattr(sys.modules.get(name), "__path__", ())}
    return sorted({Path(sys.prefix), Path(os.__file__).parent, *places})


def _take_limits(limits: Limits) -> None:
    for name, which in _LIMITS.items():
        _limit(which, getattr(limits, name))
    _limit(resource.RLIMIT_CORE, 0)


def _limit(which: int, value: int) -> None:
    _, hard = resource.getrlimit(which)
    value = value if hard == resource.RLIM_INFINITY else min(value, hard)
    with contextlib.suppress(ValueError):  # macOS has no limit on address space
        resource.setrlimit(which, (value, value))


def _become(plan: Plan) -> None:
    """Another user than root; where there is none (some containers), it stays root in name, with none of its powers."""
    if plan.uid is None:
        return
    os.chown(plan.folder, plan.uid, plan.uid)
    syscalls.prctl(syscalls.PR_SET_KEEPCAPS, 1)
    os.setgroups([])
    os.setgid(plan.uid)
    os.setuid(plan.uid)


def _end_with(parent: int) -> None:
    """The kernel kills us when the process that forked us ends; said after the change of user, which unsays it."""
    syscalls.prctl(syscalls.PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        os.kill(os.getpid(), signal.SIGKILL)
