"""What a run tells while it goes on: a bar for who looks, a line of JSON each so often, and its curves as a picture."""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Any

from rich.progress import Progress, TextColumn, TimeRemainingColumn

LINES, CURVES = "progress.jsonl", "curves.png"
RECENT = 200  # losses that are averaged


class Journal:
    def __init__(self, folder: Path, batch: int, step: int) -> None:
        """`step`: where the run goes on; what a killed one noted after its last checkpoint is struck."""
        self._folder, self._batch, self._first = folder, batch, step
        self._since = 0.0
        self._losses: deque[float] = deque(maxlen=RECENT)
        self._bar = Progress(
            *Progress.get_default_columns()[:2], TimeRemainingColumn(), TextColumn("{task.description}")
        )
        self._task = self._bar.add_task("", total=1.0)
        folder.mkdir(parents=True, exist_ok=True)
        kept = [line for line in read(folder) if line["step"] <= step] if step else []
        (folder / LINES).write_text("".join(json.dumps(line) + "\n" for line in kept), encoding="utf-8")

    def __enter__(self) -> Journal:
        self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._bar.stop()
        draw(read(self._folder), self._folder / CURVES)

    def learned(self, loss: float, seconds: float) -> None:
        self._losses.append(loss)
        self._since += seconds

    def note(self, step: int, seconds: float, share: float, rate: float) -> None:
        speed = (step - self._first) * self._batch / max(self._since, 1e-9)
        loss = sum(self._losses) / len(self._losses)
        self._write(step, seconds, images_per_second=round(speed, 1), loss=round(loss, 4), rate=rate)
        self._bar.update(self._task, completed=share, description=f"{speed:.0f} images/s loss {loss:.3f}")

    def judged(self, step: int, seconds: float, score: float) -> None:
        self._write(step, seconds, judged=round(score, 4))

    def _write(self, step: int, seconds: float, **numbers: float) -> None:
        with (self._folder / LINES).open("a", encoding="utf-8") as file:
            file.write(json.dumps({"step": step, "seconds": round(seconds, 1), **numbers}) + "\n")


def read(folder: Path) -> list[dict[str, Any]]:
    path = folder / LINES
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()] if path.exists() else []


def draw(lines: Sequence[dict[str, Any]], path: Path) -> None:
    """Loss and rate of learning, and what the judged items showed, over the steps."""
    from matplotlib.figure import Figure  # without pyplot: no window, no state of the whole process

    figure = Figure(figsize=(7, 5), layout="constrained")
    above, below = figure.subplots(2, sharex=True)
    for axis, name, words in ((above, "loss", "loss"), (below, "judged", "AUC, judged groups")):
        known = [line for line in lines if name in line]
        axis.plot([line["step"] for line in known], [line[name] for line in known], "o-", markersize=3)
        axis.set_ylabel(words)
        axis.grid(alpha=0.3)
    below.set_ylim(0, 1)
    below.set_xlabel("steps")
    rates = above.twinx()
    known = [line for line in lines if "rate" in line]
    rates.plot([line["step"] for line in known], [line["rate"] for line in known], color="tab:grey", alpha=0.5)
    rates.set_ylabel("rate of learning")
    figure.savefig(path, dpi=120)
