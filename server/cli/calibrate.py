"""`unmask calibrate`: how far to trust each installed detector, from labelled files it has never seen."""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import click

from server.settings import Settings

if TYPE_CHECKING:
    from models.calibrate import Calibration
    from models.recalibrate import Fitted


@click.command()
@click.argument("path", type=click.Path(path_type=Path))
@click.option(
    "--out", type=click.Path(dir_okay=False, path_type=Path), default="calibration.toml", show_default=True,
    help="The file to write.",
)  # fmt: skip
@click.option("--prior", type=click.FloatRange(0.01, 0.99), default=0.5, help="Manipulated share that is assumed.")
@click.option("--limit", type=click.IntRange(1), help="At most this many of each label in each set.")
@click.option("--detectors", help="Only these detectors, comma separated; others keep no say.")
def calibrate(path: Path, out: Path, prior: float, limit: int | None, detectors: str | None) -> None:
    """Fit scales, weights and thresholds of the installed detectors on labelled pictures and videos.

    \b
    unmask calibrate labelled/                         folders real/ and fake/
    unmask calibrate faces/index.csv --out mine.toml   columns path,label,group,method
    UNMASK_CALIBRATION=mine.toml unmask serve          use it; or unmask check --calibration mine.toml

    It takes 99 genuine pictures, and 200 genuine videos for a scale of their own. Files that a detector learned from
    are left out. A detector's weight is earned here beside the others: one that adds nothing gets none.
    """
    from models import calibrate as files
    from models import recalibrate, registry
    from models.evaluate import readers
    from models.fit import Labels
    from server.cli.judge import named_detectors

    settings = Settings.from_env()
    samples = readers.read(path, testing=False)
    today = datetime.datetime.now(datetime.UTC).date().isoformat()
    names = named_detectors(detectors) or registry.installed()
    made = recalibrate.run(path, samples, names, today, Labels(prior=prior), settings.concurrency, limit)
    out.write_text(files.written(made.calibration), encoding="utf-8")
    files.load(out)
    click.echo("\n".join(_told("Pictures", made.calibration, made.pictures)))
    if made.clips and made.calibration.clips:
        click.echo("\n".join(_told("Videos", made.calibration.clips, made.clips)))
    for line in _notes(made.passed_over, made.unrecorded):
        click.echo(line)
    click.echo(f"{out} is written. UNMASK_CALIBRATION={out.resolve()} unmask serve uses it; verdicts are made anew.")


def _told(what: str, calibration: Calibration, fitted: Iterable[Fitted]) -> list[str]:
    fakes = sum(map(len, calibration.fake.values()))
    lines = [f"{what}: {len(calibration.real):,} genuine and {fakes:,} manipulated"]
    for one in fitted:
        auc = "-" if one.auc is None else f"{one.auc:.3f}"
        why = f"  {one.why}" if one.why else "" if one.weight else "  it adds nothing to the others"
        lines.append(f"  {one.name:<16}{one.reals:>7} / {one.fakes:<7}AUC {auc:<7}weight {one.weight:.2f}{why}")
    return lines


def _notes(passed_over: Mapping[str, int], unrecorded: Iterable[str]) -> list[str]:
    left_out = ", ".join(f"{count:,} {reason}" for reason, count in passed_over.items())
    lines = [f"Left out: {left_out}."] if left_out else []
    if names := ", ".join(unrecorded):
        lines.append(f"What {names} learned from is not recorded: be sure that none of these files were among it.")
    return lines
