"""How a benchmark prints: what, how much, against which goal."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path


def show(rows: Sequence[tuple[str, str, str]]) -> None:
    width = max(len(row[0]) for row in rows)
    for what, measured, goal in rows:
        print(f"{what:<{width}}  {measured:>16}  {goal}", flush=True)


def resident_mib(pid: int) -> float:
    """Resident memory of one process, in MiB."""
    lines = Path(f"/proc/{pid}/status").read_text("ascii").splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith("VmRSS"))


def descendants(pid: int) -> dict[int, str]:
    """pid -> command line of everything below a process; a child belongs to the thread that started it."""
    found: dict[int, str] = {}
    waiting = [pid]
    while waiting:
        for children in Path(f"/proc/{waiting.pop()}/task").glob("*/children"):
            for child in map(int, children.read_text("ascii").split()):
                line = Path(f"/proc/{child}/cmdline").read_bytes()
                found[child] = line.replace(b"\0", b" ").decode(errors="replace").strip()
                waiting.append(child)
    return found
