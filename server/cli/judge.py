"""One file or address to one result, outside any server: what `unmask check` runs in its threads."""

from __future__ import annotations

import threading
from dataclasses import asdict
from pathlib import Path
from types import TracebackType
from typing import Any

import click

from models.analyze import Analyzer
from models.errors import ModelsError
from models.registry import DETECTORS
from server import verdict as rules
from server.errors import ProcessingFailed, UnmaskError
from server.fetch.sources import Fetched
from server.settings import Settings
from server.worker.media import MediaChild


def named_detectors(text: str | None) -> tuple[str, ...] | None:
    if text is None:
        return None
    names = tuple(name.strip() for name in text.split(",") if name.strip())
    unknown = [name for name in names if name not in DETECTORS]
    if unknown or not names:
        raise click.UsageError(f"There is no detector {', '.join(unknown)!r}. Choose from: {', '.join(DETECTORS)}.")
    return names


class Judge:
    """Keeps one media child a thread: starting one costs more than judging a small picture."""

    def __init__(self, settings: Settings, sequence_length: int, detectors: tuple[str, ...] | None) -> None:
        self._settings = settings
        self._frames = sequence_length
        self._detectors = detectors
        self._analyzer = Analyzer(settings.calibration, onnx_threads=settings.onnx_threads)
        threading.Thread(target=self._analyzer.warm, daemon=True).start()  # while the child starts and decodes
        self._local = threading.local()
        self._children: list[MediaChild] = []

    def __enter__(self) -> Judge:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for child in self._children:
            child.close()
        self._analyzer.close()

    def __call__(self, what: str) -> dict[str, Any]:
        try:
            return {"path": what, **self._judge(what)}
        except UnmaskError as error:
            self._local.child = None  # it may be what failed: the next file gets a fresh one
            return {"path": what, "error": error.to_json()}

    def _judge(self, what: str) -> dict[str, Any]:
        child = self._child()
        path, acquisition, complete = Path(what), "upload", True
        if "://" in what:
            fetched = child.fetch(what)
            assert isinstance(fetched, Fetched), "nothing was said of what is known already"
            path, acquisition, complete = fetched.path, "download", fetched.complete
        info, frames = child.decode(path, self._frames)
        try:
            analysis = self._analyzer.analyze(frames, info, detectors=self._detectors, expected=self._frames)
        except ModelsError as error:
            raise ProcessingFailed(str(error)) from error
        fitted = self._analyzer.calibration
        found = rules.Evidence(analysis.probability, analysis.p_value, analysis.fake_quantile, acquisition)
        return {
            "label": rules.label(found, rules.Thresholds(fitted.likely_p, fitted.no_evidence_quantile)),
            "probability": None if analysis.probability is None else round(analysis.probability, 4),
            "interval": [round(edge, 4) for edge in analysis.interval] if analysis.interval else None,
            "reasons": rules.reasons(found, analysis.reasons, complete=complete),
            "kind": info.kind,
            "coverage": asdict(analysis.coverage),
            "detectors": [asdict(report) for report in analysis.detectors],
            "pipeline": self._analyzer.pipeline,
        }

    def _child(self) -> MediaChild:
        child: MediaChild | None = getattr(self._local, "child", None)
        if child is None:
            child = self._local.child = MediaChild(self._settings)
            self._children.append(child)
        return child
