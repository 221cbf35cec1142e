"""Runs the test suite part by part, as `make test` and CI do, and prints how long each part took.

    python -m tests.run              everything
    python -m tests.run unit faults  these parts

Everything after `--` goes to pytest.
"""

from __future__ import annotations

import re
import subprocess
import sys
import time

PARTS = {  # part -> (pytest's choice, processes, minutes it may take on two cores)
    "unit": ("not service and not browser and not fault", 2, 4),
    "services": ("service", 1, 5),
    "browsers": ("browser", 1, 8),
    "faults": ("fault", 1, 3),
}
NO_TESTS = 5  # pytest's exit status


def main(arguments: list[str]) -> int:
    extra = arguments[arguments.index("--") + 1 :] if "--" in arguments else []
    chosen = [word for word in arguments if word in PARTS] or list(PARTS)
    rows: list[tuple[str, dict[str, int], float, int]] = []
    counts, worst = {"passed": 0, "failed": 0, "skipped": 0}, 0
    for part in chosen:
        marks, processes, budget = PARTS[part]
        print(f"\n== {part} ==", flush=True)
        started = time.monotonic()
        append = ["--cov-append"] if rows else []
        command = [sys.executable, "-m", "pytest", "-q", "-m", marks, "--cov", "--cov-report=", *append]
        # A file stays in one process: what its tests share (a trained network, a made clip) is made once.
        spread = ["-n", str(processes), "--dist", "loadfile"] if processes > 1 else []
        status, found = _run([*command, *spread, *extra])
        for kind in counts:
            counts[kind] += found.get(kind, 0)
        counts["failed"] += found.get("error", 0)
        rows.append((part, found, (time.monotonic() - started) / 60, budget))
        worst = max(worst, 0 if status == NO_TESTS else status)
    subprocess.run([sys.executable, "-m", "coverage", "report", "--skip-covered", "--sort=cover"], check=False)
    print(f"\n{'part':<10}{'passed':>8}{'failed':>8}{'skipped':>9}{'minutes':>9}{'budget':>8}")
    for part, found, minutes, budget in rows:
        failed = found.get("failed", 0) + found.get("error", 0)
        print(f"{part:<10}{found.get('passed', 0):>8}{failed:>8}{found.get('skipped', 0):>9}{minutes:>9.1f}{budget:>8}")
    print(f"\n{counts['passed']} passed, {counts['failed']} failed, {counts['skipped']} skipped")
    return worst


def _run(command: list[str]) -> tuple[int, dict[str, int]]:
    """pytest's status, and the counts of its closing line. Its output goes through as it comes."""
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    last = ""
    for line in process.stdout:
        print(line, end="", flush=True)
        last = line if re.search(r"\b(passed|failed|error|skipped|deselected)\b.* in ", line) else last
    found = {kind.rstrip("s") if kind == "errors" else kind: int(n) for n, kind in re.findall(r"(\d+) (\w+)", last)}
    return process.wait(), found


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
