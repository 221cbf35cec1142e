"""`unmask check`: files, folders and addresses, judged here and now, without server or database."""

from __future__ import annotations

import csv
import io
import json
import mimetypes
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

import click

from server.options import DEFAULT_SEQUENCE_LENGTH, SEQUENCE_LENGTHS
from server.settings import FaceFinder, Settings

if TYPE_CHECKING:
    from server.cli.judge import Judge

CSV_COLUMNS = ("path", "label", "probability", "low", "high", "reasons", "error")


@dataclass
class Limits:
    """How many more images and videos may be taken; None = any number."""

    images: int | None
    videos: int | None

    def take(self, kind: str) -> bool:
        left = self.images if kind == "image" else self.videos
        if left is None:
            return True
        if left == 0:
            return False
        if kind == "image":
            self.images = left - 1
        else:
            self.videos = left - 1
        return True


@click.command()
@click.argument("what", nargs=-1, required=True, metavar="PATH|FOLDER|URL...")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a file, a line each.")
@click.option("--csv", "as_csv", is_flag=True, help="A table for a spreadsheet.")
@click.option("--limit", type=click.IntRange(1), help="At most this many images and this many videos.")
@click.option("--ilimit", type=click.IntRange(1), help="At most this many images.")
@click.option("--vlimit", type=click.IntRange(1), help="At most this many videos.")
@click.option(
    "--sequence-length", type=click.Choice([str(n) for n in SEQUENCE_LENGTHS]), default=str(DEFAULT_SEQUENCE_LENGTH),
    show_default=True, help="Frames looked at in a video.",
)  # fmt: skip
@click.option("--detectors", help="Only these detectors, comma separated; `unmask models list` names them.")
@click.option(
    "--finder", type=click.Choice(get_args(FaceFinder)),
    help="Who finds the faces; else UNMASK_FACE_FINDER says. cnn takes seconds a frame without CUDA.",
)  # fmt: skip
@click.option(
    "--calibration", type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="What `unmask calibrate` wrote; else UNMASK_CALIBRATION or the shipped one.",
)  # fmt: skip
@click.option("-v", "--verbose", is_flag=True, help="Show each detector's say below the line.")
@click.option("--report", type=click.Path(dir_okay=False, path_type=Path), help="Write a report of one file, as HTML.")
def check(
    what: tuple[str, ...], as_json: bool, as_csv: bool, limit: int | None, ilimit: int | None, vlimit: int | None,
    sequence_length: str, detectors: str | None, finder: FaceFinder | None,
    calibration: Path | None, verbose: bool, report: Path | None,
) -> None:  # fmt: skip
    """Check files, folders or addresses, here and now.

    \b
    unmask check clip.mp4
    unmask check --json pictures/ > results.jsonl
    unmask check --csv --limit 100 archive/
    unmask check https://example.org/clip.mp4
    unmask check --report report.html clip.mp4

    Exit status: 0 all were judged, 1 some could not be, 2 bad usage.
    A probability is that of manipulation; it never proves that a file is genuine.
    """
    if as_json and as_csv:
        raise click.UsageError("Choose one of --json and --csv.")
    from server.cli.judge import Judge, named_detectors  # brings the models: only now

    names = named_detectors(detectors)
    settings = Settings.from_env()
    if finder:
        settings = settings.model_copy(update={"face_finder": finder})
    if calibration:
        settings = settings.model_copy(update={"calibration": calibration})
    wanted = list(_targets(what, Limits(ilimit or limit, vlimit or limit)))
    if report is not None and len(wanted) != 1:
        raise click.UsageError(f"A report is about one file, and {len(wanted)} were named.")
    if report is not None and not report.parent.is_dir():
        raise click.UsageError(f"There is no folder {report.parent} to write the report to.")
    pictures: dict[str, bytes] | None = None if report is None else {}
    write = _json_line if as_json else _csv_line if as_csv else _text_line
    if as_csv:
        click.echo(",".join(CSV_COLUMNS))
    if not wanted:
        click.echo("Nothing to check: no picture or video was found.", err=True)
        return
    failed = False
    fetching = any("://" in name for name in wanted)
    with Judge(settings, int(sequence_length), names, pictures, fetching=fetching) as judge:
        for result in _judged(judge, wanted, settings.concurrency):
            failed |= "error" in result
            click.echo(write(result))
            if verbose and not (as_json or as_csv):
                _details(result)
            if report is not None and pictures is not None and "error" not in result:
                _write_report(report, result, pictures, judge)
    sys.exit(1 if failed else 0)


def _targets(what: Sequence[str], limits: Limits) -> Iterator[str]:
    """What was named, folders unfolded in order. In a folder, what is media by content or by name is taken."""
    passed_over = 0
    for name in what:
        path = Path(name)
        if "://" in name:
            yield name
        elif path.is_dir():
            for inner in sorted(inner for inner in path.rglob("*") if inner.is_file()):
                kind = _kind(inner)
                if kind is not None:
                    wanted = limits.take(kind)
                else:
                    wanted = _is_media_by_name(inner)
                    passed_over += not wanted
                if wanted:
                    yield str(inner)
        elif path.exists():
            kind = _kind(path) if path.is_file() else None
            if kind is None or limits.take(kind):
                yield name
        else:
            raise click.UsageError(f"There is no file or folder {name}.")
    if passed_over:
        click.echo(f"Passed over {passed_over} that are neither pictures nor videos.", err=True)


def _is_media_by_name(path: Path) -> bool:
    """A damaged picture in a folder is to be named as damaged, not left out in silence."""
    return (mimetypes.guess_type(path.name)[0] or "").startswith(("image/", "video/"))


def _kind(path: Path) -> str | None:
    """image or video, by content; None for anything else."""
    from server.intake import HEAD_BYTES, sniff

    try:
        with path.open("rb") as file:
            mime = sniff(file.read(HEAD_BYTES))
    except OSError as error:
        click.echo(f"{_printable(str(path))}: could not be read: {error.strerror}", err=True)
        return None
    return mime.partition("/")[0] if mime else None


def _judged(judge: Judge, wanted: Sequence[str], workers: int) -> Iterator[dict[str, Any]]:
    """Results in the order asked, with a bar on standard error when a person is looking."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("Checking"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    console = Console(stderr=True)
    with (
        ThreadPoolExecutor(min(workers, max(1, len(wanted)))) as pool,
        Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar,
    ):
        yield from bar.track(pool.map(judge, wanted), total=len(wanted))


def _json_line(result: dict[str, Any]) -> str:
    return _encodable(json.dumps(result, ensure_ascii=False))


def _csv_line(result: dict[str, Any]) -> str:
    low, high = result.get("interval") or ("", "")
    error = result.get("error", {}).get("code", "")
    probability = result.get("probability")
    row = [
        result["path"], result.get("label", ""), "" if probability is None else probability, low, high,
        " ".join(result.get("reasons", ())), error,
    ]  # fmt: skip
    text = io.StringIO()
    # Python before 3.13 only quotes line breaks that are in its own line end.
    csv.writer(text, lineterminator="\r\n").writerow([_plain(cell) for cell in row])
    return _encodable(text.getvalue().removesuffix("\r\n"))


def _encodable(text: str) -> str:
    """A file name may hold bytes that are no text; in JSON the replacement is the escape that means the same."""
    return text.encode(errors="backslashreplace").decode()


def _plain(cell: Any) -> Any:
    """A spreadsheet runs a cell that begins like a formula; file names come from anywhere."""
    return "'" + cell if isinstance(cell, str) and cell[:1] in ("=", "+", "-", "@", "\t", "\r", "\n") else cell


def _text_line(result: dict[str, Any]) -> str:
    from server.words import LABELS, percent

    path = _printable(result["path"])
    if "error" in result:
        return f"{path}: could not be checked: {result['error']['message']} [{result['error']['code']}]"
    words = LABELS[result["label"]]
    if result["probability"] is not None:
        low, high = result["interval"]
        words += f" - about {percent(result['probability'])} in 100"
        words += f" ({percent(low)}-{percent(high)})" if percent(low) != percent(high) else ""
    return f"{path}: {words}" + (f" [{', '.join(result['reasons'])}]" if result["reasons"] else "")


def _printable(path: str) -> str:
    return "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in path)


def _write_report(path: Path, result: dict[str, Any], pictures: dict[str, bytes], judge: Judge) -> None:
    from models.catalogue import catalogue
    from models.rates import measured
    from server.report.page import render

    named = result["path"] if "://" in result["path"] else Path(result["path"]).name
    page = render(
        result, pictures.get, named=_printable(named), made=datetime.now(UTC), catalogue=catalogue(),
        measured=measured(judge.calibration),
    )  # fmt: skip
    try:
        path.write_text(page, encoding="utf-8")
    except OSError as error:
        raise click.ClickException(f"The report could not be written to {path}: {error.strerror}.") from error
    click.echo(f"Report written to {_printable(str(path))}", err=True)


def _details(result: dict[str, Any]) -> None:
    from server.words import origin

    for row in result.get("detectors", ()):
        score = "-" if row["score"] is None else f"{row['score']:.2f}"
        remarks = "; ".join(filter(None, (row["reason"], row["evidence"])))
        click.echo(
            f"    {row['name']:<16}{row['band']:<11}score {score:<6}weight {row['weight']:<6.2f}"
            f"adds {row['contribution']:<+7.2f}{row['ms']} ms  {remarks}".rstrip()
        )
    for line in origin(result) if "provenance" in result else ():
        click.echo(f"    {line}")
