"""`unmask prepare`: labelled pictures and clips to aligned faces that training and evaluation read."""

from __future__ import annotations

from pathlib import Path

import click


@click.command()
@click.argument("path", type=click.Path(path_type=Path))
@click.option("--out", type=click.Path(file_okay=False, path_type=Path), required=True, help="Where the faces go.")
@click.option("--frames", type=click.IntRange(1, 100), default=10, show_default=True, help="Looked at in a clip.")
@click.option("--workers", type=click.IntRange(1), help="Processes; as many as there are cores, if not given.")
def prepare(path: Path, out: Path, frames: int, workers: int | None) -> None:
    """Cut the faces of labelled pictures and clips, once, as serving cuts them.

    \b
    unmask prepare faces/ --out prepared/             folders real/ and fake/
    unmask prepare faces/index.csv --out prepared/    columns path,label,group,method
    unmask prepare FaceForensics/ --out prepared/     FaceForensics++, Celeb-DF-v2, DFDC as they come
    unmask train blend --data prepared/ --out runs/blend

    A run that was killed goes on where it stopped. What shows no usable face is passed over and counted.
    """
    from models.training.prepare import prepare as cut_faces  # brings the models: only now

    made = cut_faces(path, out, frames, workers)
    click.echo(
        f"{made.faces:,} faces ({made.reals:,} genuine, {made.fakes:,} manipulated) of {made.files:,} files in {out}"
    )
    for reason, count in made.passed_over.items():
        click.echo(f"  passed over: {count:,} {reason}")
