"""The one task: answer the doorbell."""

from __future__ import annotations

from collections.abc import Callable

from celery import Celery

from server.worker.relay import Hints
from server.worker.runs import Runs


def register(app: Celery, runs: Runs, hints: Hints) -> Callable[[], object]:
    """Returns what rings the bell."""

    @app.task(name="unmask.work")  # type: ignore[untyped-decorator]
    def work() -> None:
        with hints.answering() as claimed:
            runs.answer(claimed)

    return lambda: work.apply_async(retry=False)
