"""How a benchmark prints: what, how much, against which goal."""

from __future__ import annotations

from collections.abc import Sequence


def show(rows: Sequence[tuple[str, str, str]]) -> None:
    width = max(len(row[0]) for row in rows)
    for what, measured, goal in rows:
        print(f"{what:<{width}}  {measured:>16}  {goal}", flush=True)


def resident_mib(pid: int) -> float:
    """Resident memory of one process, in MiB."""
    with open(f"/proc/{pid}/status", encoding="ascii") as status:
        return next(int(line.split()[1]) / 1024 for line in status if line.startswith("VmRSS"))


def descendants(pid: int) -> dict[int, str]:
    """pid -> command line of everything below a process."""
    found: dict[int, str] = {}
    waiting = [pid]
    while waiting:
        parent = waiting.pop()
        with open(f"/proc/{parent}/task/{parent}/children", encoding="ascii") as file:
            for child in map(int, file.read().split()):
                with open(f"/proc/{child}/cmdline", "rb") as line:
                    found[child] = line.read().replace(b"\0", b" ").decode(errors="replace").strip()
                waiting.append(child)
    return found
