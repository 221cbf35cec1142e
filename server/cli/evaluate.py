"""`unmask evaluate`: how well the installed detectors do on labelled media, each alone and all in one vote."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from server.settings import Settings

if TYPE_CHECKING:
    from models.calibrate import Calibration
    from models.types import Analysis


@click.command()
@click.argument("path", type=click.Path(path_type=Path))
@click.option("--out", type=click.Path(file_okay=False, path_type=Path), help="Keep results, report and plots here.")
@click.option("--json", "as_json", is_flag=True, help="Print all that was measured as JSON.")
@click.option("--degrade", is_flag=True, help="Measure again after JPEG, WebP, scaling, H.264, screenshot, smoothing.")
@click.option("--limit", type=click.IntRange(1), help="At most this many of each label in each set.")
@click.option("--detectors", help="Only these detectors, comma separated; `unmask models list` names them.")
@click.option("--held-out", is_flag=True, help="Only what no detector learned from or was calibrated on.")
@click.option("--for-models", is_flag=True, help="Put the figures beside the weights, for GET /api/v1/models.")
def evaluate(
    path: Path, out: Path | None, as_json: bool, degrade: bool, limit: int | None, detectors: str | None,
    held_out: bool, for_models: bool,
) -> None:  # fmt: skip
    """Measure the installed detectors on labelled pictures, clips or prepared faces.

    \b
    unmask evaluate clips/ --out runs/clips                 folders real/ and fake/
    unmask evaluate faces/index.csv --limit 200 --degrade   columns path,label,group,method
    unmask evaluate Celeb-DF-v2/ --out runs/celeb           its test list; also FaceForensics++ and DFDC
    unmask evaluate prepared/ --held-out --out runs/faces   what `unmask prepare` cut

    Each file goes through the line that serves. With --out a run that was killed goes on where it stopped. A file that
    cannot be read is counted, and ends nothing. Intervals are over groups: videos, persons, originals.
    """
    from models.evaluate import evaluation, for_page  # brings the models: only now
    from models.evaluate.report import markdown, sections, shown
    from server.cli.judge import named_detectors
    from server.report import evaluation as page

    settings = Settings.from_env()
    wish = evaluation.Wish(
        path, named_detectors(detectors), settings.calibration, limit, held_out, degrade, settings.face_finder,
        settings.concurrency, settings.onnx_threads,
    )  # fmt: skip
    metrics = evaluation.evaluate(wish, _label, out)
    title = evaluation.title(metrics)
    made = evaluation.write(metrics, out) if out else sections(metrics)
    if out:
        (out / "report.html").write_text(page.render(title, shown(made)), encoding="utf-8")
    if for_models:
        for_page.write(metrics)
    click.echo(json.dumps(metrics) if as_json else markdown(title, [replace(section, plots={}) for section in made]))


def _label(analysis: Analysis, calibration: Calibration) -> str:
    """What a verdict on an uploaded file would say."""
    from server import verdict
    from server.worker.judged import thresholds

    found = verdict.Evidence(analysis.probability, analysis.p_value, analysis.fake_quantile)
    return verdict.label(found, thresholds(calibration))
