"""Judge every sample, in threads, and keep each result as soon as it is there: a run that was killed goes on."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from models import bar
from models.calibrate import Calibration
from models.errors import DatasetError, ModelsError
from models.evaluate.changes import CHANGES
from models.evaluate.judges import Judge
from models.evaluate.samples import Sample
from models.jsonlines import JsonLines
from models.types import Analysis

log = logging.getLogger(__name__)

AS_IT_IS = ""  # the change that is none
Labeller = Callable[[Analysis, Calibration], str]


@dataclass(frozen=True)
class Heard:
    """One detector's say: `score` is None where it abstained or failed."""

    score: float | None
    band: str
    ms: int
    reason: str | None


@dataclass(frozen=True)
class Result:
    """`error` is the code of what went wrong; then nothing else is known."""

    name: str
    change: str
    pipeline: str
    seconds: float
    label: str | None = None
    probability: float | None = None
    reasons: tuple[str, ...] = ()
    detectors: Mapping[str, Heard] | None = None
    error: str | None = None


def run(
    samples: Sequence[Sample],
    judge: Judge,
    label: Labeller,
    changes: Sequence[str] = (),
    kept: Path | None = None,
    workers: int = 2,
) -> list[Result]:
    """Each sample as it is and after every change. `kept`: a file of JSON lines, read first and added to."""
    wanted = [(sample, change) for change in (AS_IT_IS, *changes) for sample in samples]
    log = JsonLines(kept) if kept else None
    earlier = _earlier(log, kept) if log and kept else []
    done = {(result.name, result.change): result for result in earlier if result.pipeline == judge.pipeline}
    left = [(sample, change) for sample, change in wanted if (sample.name, change) not in done]
    with (
        ThreadPoolExecutor(workers) as pool,
        bar.counting("Judging", len(wanted), len(wanted) - len(left)) as advance,
    ):
        futures = {pool.submit(_judged, judge, label, *one): one[0] for one in left}
        try:
            for future in as_completed(futures):
                result = future.result()
                done[result.name, result.change] = result
                if log:
                    log.add(asdict(result) | _told(futures[future]))
                advance()
        finally:
            pool.shutdown(cancel_futures=True)
    return [done[sample.name, change] for sample, change in wanted]


def _told(sample: Sample) -> dict[str, Any]:
    """For who reads the file; a later run takes it from the samples anew, for labels get corrected."""
    return {"fake": sample.fake, "group": sample.group, "method": sample.method, "set": sample.dataset}


def _judged(judge: Judge, label: Labeller, sample: Sample, change: str) -> Result:
    begun = time.perf_counter()

    def failed(code: str) -> Result:
        return Result(sample.name, change, judge.pipeline, time.perf_counter() - begun, error=code)

    try:
        analysis = judge(sample, CHANGES.get(change))
    except ModelsError as error:
        return failed(error.code)
    except FileNotFoundError:
        return failed("missing_file")
    except OSError:
        return failed("unreadable_file")
    except Exception:  # one odd file must not end a run of hours; it is counted and told
        log.exception("%s could not be judged", sample.name)
        return failed("internal_error")
    return Result(
        name=sample.name,
        change=change,
        pipeline=judge.pipeline,
        seconds=round(time.perf_counter() - begun, 4),
        label=label(analysis, judge.calibration),
        probability=analysis.probability,
        reasons=analysis.reasons,
        detectors={d.name: Heard(d.score, d.band, d.ms, d.reason) for d in analysis.detectors},
    )


def _earlier(log: JsonLines, kept: Path) -> list[Result]:
    try:
        return [_result(row) for row in log.rows]
    except (KeyError, TypeError, AttributeError) as error:
        raise DatasetError(f"{kept} is not what an earlier run wrote ({error!r}). Choose another folder.") from error


def _result(row: dict[str, Any]) -> Result:
    heard = row["detectors"]
    return Result(
        name=row["name"],
        change=row["change"],
        pipeline=row["pipeline"],
        seconds=row["seconds"],
        label=row["label"],
        probability=row["probability"],
        reasons=tuple(row["reasons"]),
        detectors={name: Heard(**said) for name, said in heard.items()} if heard is not None else None,
        error=row["error"],
    )
