"""`unmask train`: a detector from a folder of faces."""

from __future__ import annotations

from pathlib import Path

import click


@click.command()
@click.argument("recipe", type=click.Choice(["meso4"]))
@click.option("--data", type=click.Path(exists=True, path_type=Path), required=True, help="index.csv of the faces.")
@click.option("--out", type=click.Path(file_okay=False, path_type=Path), required=True, help="Where results go.")
@click.option("--minutes", type=click.FloatRange(min=0.1), default=30.0, show_default=True, help="Time to train.")
@click.option("--seed", type=int, default=1, show_default=True, help="Same seed, same split.")
@click.option("--resume", is_flag=True, help="Go on from the last checkpoint in --out.")
def train(recipe: str, data: Path, out: Path, minutes: float, seed: int, resume: bool) -> None:
    """Train RECIPE, export it to ONNX, calibrate and measure it on groups it never saw.

    \b
    unmask train meso4 --data faces/index.csv --out runs/meso4 --minutes 30

    The index has the columns path,label,group,method: items of one group (a video, a person, an original) never end
    up on both sides of a split. Needs the `train` extra: pip install 'unmask[train]'.
    """
    from models.training import meso4

    meso4.run(data, out, minutes=minutes, seed=seed, resume=resume)
