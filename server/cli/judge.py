"""One file or address to one result, outside any server: what `unmask check` runs in its threads."""

from __future__ import annotations

import tempfile
import threading
from pathlib import Path
from types import TracebackType
from typing import Any

import click

from models import registry
from models.analyze import Analyzer
from models.calibrate import Calibration
from models.errors import ModelsError, NotInstalled, UnknownDetector
from server.errors import MediaGone, ProcessingFailed, UnmaskError
from server.fetch.sources import Fetched
from server.identity import sha256_file
from server.settings import Settings
from server.worker import judged
from server.worker.media import MediaChild, children

# Of a verdict's JSON; the rest is about a server's versions, evidence pictures and reviewers.
SHOWN = (
    "label", "probability", "interval", "prior", "calibration", "scale", "kinds", "reasons", "media", "coverage",
    "detectors", "provenance", "pipeline",
)  # fmt: skip


def named_detectors(text: str | None) -> tuple[str, ...] | None:
    if text is None:
        return None
    names = tuple(name.strip() for name in text.split(",") if name.strip())
    if not names:
        raise click.UsageError(f"Name at least one detector: {', '.join(registry.installed())}.")
    try:
        return registry.chosen(names)
    except (UnknownDetector, NotInstalled) as error:
        raise click.UsageError(str(error)) from error


REPORTED = (*SHOWN, "basis", "segments", "forensics")


class Judge:
    """For any number of threads. `fetching`: addresses are among what is to be judged.

    With `pictures` a result holds the parts of a verdict that a report shows, and the pictures are put there.
    """

    def __init__(
        self, settings: Settings, sequence_length: int, detectors: tuple[str, ...] | None,
        pictures: dict[str, bytes] | None = None, *, fetching: bool = False,
    ) -> None:  # fmt: skip
        self._pictures = pictures
        self._frames = sequence_length
        self._detectors = detectors
        self._analyzer = Analyzer(settings.calibration, onnx_threads=settings.onnx_threads, finder=settings.face_finder)
        # Not the service's data folder: what lies there under no check's name is swept, and there need not be one.
        self._folder = tempfile.TemporaryDirectory(prefix="unmask-")
        self._settings = settings.model_copy(update={"data_dir": Path(self._folder.name)})
        self._children = children(settings, fetching=fetching)
        self._warming = threading.Thread(target=self._analyzer.warm, daemon=True)
        self._warming.start()  # while the child starts and decodes
        self._children.warm()
        self._media = MediaChild(self._settings, self._children)

    @property
    def calibration(self) -> Calibration:
        return self._analyzer.calibration

    def __enter__(self) -> Judge:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._warming.join()  # a program that ends while models are loaded is aborted by the runtime's threads
        self._analyzer.close()
        self._media.close()
        self._children.close()
        self._folder.cleanup()

    def __call__(self, what: str) -> dict[str, Any]:
        try:
            return {"path": what, **self._judge(what)}
        except UnmaskError as error:
            return {"path": what, "error": error.to_json()}

    def _judge(self, what: str) -> dict[str, Any]:
        if "://" not in what:
            return self._judge_file(Path(what), "upload", complete=True)
        fetched = self._media.fetch(what)
        assert isinstance(fetched, Fetched), "nothing was said of what is known already"
        try:
            return self._judge_file(fetched.path, "download", complete=fetched.complete)
        finally:
            fetched.path.unlink(missing_ok=True)

    def _judge_file(self, path: Path, acquisition: str, *, complete: bool) -> dict[str, Any]:
        read = self._media.watch if self._analyzer.wants_glances(self._detectors) else self._media.decode
        info, frames = read(path, self._frames)
        try:
            analysis = self._analyzer.analyze(frames, info, detectors=self._detectors, expected=self._frames)
        except ModelsError as error:
            raise ProcessingFailed(str(error)) from error
        shown = judged.body(
            analysis,
            info,
            thresholds=judged.thresholds(self._analyzer.calibration),
            pipeline=self._analyzer.pipeline,
            sha256=_hash(path),
            acquisition=acquisition,
            complete=complete,
            segments=judged.segments(analysis, self._keep),
            forensics=judged.forensics(analysis, self._keep),
        )
        names = SHOWN if self._pictures is None else REPORTED
        return {"kind": info.kind, **{name: shown[name] for name in names}}

    def _keep(self, kind: str, jpeg: bytes) -> str:
        if self._pictures is None:
            return ""
        address = f"{kind}-{len(self._pictures)}"
        self._pictures[address] = jpeg
        return address


def _hash(path: Path) -> str:
    try:
        return sha256_file(path)
    except OSError:
        raise MediaGone from None
