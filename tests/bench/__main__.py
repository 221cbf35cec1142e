"""`make bench`: what Unmask costs, each part against something plain, measured in this very run.

python -m tests.bench            all
python -m tests.bench clip       these parts
"""

from __future__ import annotations

import importlib
import sys
import tempfile
from pathlib import Path

PARTS = ("start", "fetch", "clip", "stages", "faces", "detectors", "checks", "lookups", "similar", "faults")


def main(chosen: list[str]) -> None:
    unknown = set(chosen) - set(PARTS)
    if unknown:
        sys.exit(f"There is no part {', '.join(unknown)}. Choose from: {', '.join(PARTS)}.")
    for part in chosen or PARTS:
        print(f"\n== {part} ==", flush=True)
        with tempfile.TemporaryDirectory(prefix="unmask-bench-") as folder:
            importlib.import_module(f"tests.bench.bench_{part}").main(Path(folder))


if __name__ == "__main__":
    main(sys.argv[1:])
