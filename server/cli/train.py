"""`unmask train`: a detector from a folder of faces."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import click


@click.command()
@click.argument("recipe", type=click.Choice(["blend", "meso4", "synthetic"]))
@click.option("--data", type=click.Path(exists=True, path_type=Path), required=True, help="index.csv of the faces.")
@click.option("--out", type=click.Path(file_okay=False, path_type=Path), required=True, help="Where results go.")
@click.option("--minutes", type=click.FloatRange(min=0.1), default=30.0, show_default=True, help="Time to train.")
@click.option("--seed", type=int, default=1, show_default=True, help="Same seed, same split.")
@click.option("--resume", is_flag=True, help="Go on from the last checkpoint in --out.")
@click.option(
    "--leave-out", "left_out", multiple=True, help="blend: a data set, synthetic: a generator, to measure only."
)
@click.option("--size", type=click.Choice(["128", "160", "224"]), default="160", help="blend: pixels of a face.")
@click.option("--blended", type=click.FloatRange(0, 1), default=0.5, help="blend: share of pairs made of real faces.")
@click.option("--blocks", type=click.IntRange(11, 16), help="blend, synthetic: how much of the trunk to keep.")
@click.option("--control", type=click.Choice(["width", "quality"]), help="synthetic: learn this instead; it must fail.")
def train(
    recipe: str,
    data: Path,
    out: Path,
    minutes: float,
    seed: int,
    resume: bool,
    left_out: tuple[str, ...],
    size: str,
    blended: float,
    blocks: int | None,
    control: Literal["width", "quality"] | None,
) -> None:
    """Train RECIPE, export it to ONNX, calibrate and measure it on groups it never saw.

    \b
    unmask train blend --data faces/index.csv --out runs/blend --minutes 60
    unmask train meso4 --data faces/index.csv --out runs/meso4 --minutes 30
    unmask train synthetic --data faces/index.csv --out runs/synthetic --minutes 30 --leave-out stylegan

    The index has the columns path,label,group,method: items of one group (a video, a person, an original) never end
    up on both sides of a split. Needs the `train` extra: pip install 'unmask[train]'.
    """
    if recipe == "blend":
        from models.networks import lite0
        from models.training import blend
        from models.training.pairs import Mix

        mix = Mix(side=int(size), made=blended, fakes=blend.FAKES, people=blend.PEOPLE)
        blend.run(data, out, minutes, seed, resume, left_out, mix, blocks or lite0.BLOCKS)
        return
    if recipe == "synthetic":
        from models.training import synthetic

        synthetic.run(data, out, minutes, seed, resume, left_out, control, blocks or synthetic.BLOCKS)
        return
    from models.training import meso4

    meso4.run(data, out, minutes=minutes, seed=seed, resume=resume)
