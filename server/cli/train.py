"""`unmask train`: a detector from a folder of faces."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from server.cli.extra import training

if TYPE_CHECKING:
    from models.training.plan import Wish

RECIPES = ("blend", "meso4", "mesoinception4", "meso4-video", "efficientnet", "sequence", "synthetic", "all")


@click.command()
@click.argument("recipe", type=click.Choice(RECIPES))
@click.option(
    "--data", type=click.Path(exists=True, path_type=Path), required=True,
    help="A folder with real/ and fake/, a table path,label,group,method, or what `unmask prepare` made.",
)  # fmt: skip
@click.option("--out", type=click.Path(file_okay=False, path_type=Path), help="Where results go.  [runs/RECIPE]")
@click.option("--minutes", type=click.FloatRange(min=0.1), help="Time to train; each recipe has its own usual one.")
@click.option("--epochs", type=click.FloatRange(min=0, min_open=True), help="End after so many passes over the data.")
@click.option("--seed", type=int, default=1, show_default=True, help="Same seed, same split.")
@click.option("--resume", is_flag=True, help="Go on from the last checkpoint in --out.")
@click.option("--limit", type=click.IntRange(1), help="At most this many items of each label in each set.")
@click.option("--ilimit", type=click.IntRange(1), help="The same for recipes that learn from pictures.")
@click.option("--vlimit", type=click.IntRange(1), help="The same for recipes that learn from videos.")
@click.option(
    "--leave-out", "left_out", multiple=True, help="blend: a data set, synthetic: a generator, to measure only."
)
@click.option("--size", type=click.Choice(["128", "160", "224"]), default="160", help="blend: pixels of a face.")
@click.option("--blended", type=click.FloatRange(0, 1), default=0.5, help="blend: share of pairs made of real faces.")
@click.option("--blocks", type=click.IntRange(11, 16), help="blend: how much of the trunk to keep.")
@click.option("--control", type=click.Choice(["width", "quality"]), help="synthetic: learn this instead; it must fail.")
@click.option("--base", type=click.Choice(["b0", "b7"]), default="b0", help="efficientnet: B7 wants a GPU.")
@click.option(
    "--start", type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="efficientnet, sequence: weights to start from (arrays only are read).",
)  # fmt: skip
@click.option(
    "--frames", type=click.Choice(["10", "20", "40", "60", "80", "100"]), default="20", help="sequence: its length."
)
def train(recipe: str, data: Path, out: Path | None, **options: Any) -> None:
    """Train RECIPE, export it to ONNX, calibrate and measure it on groups it never saw.

    \b
    unmask train blend --data faces/index.csv --minutes 60
    unmask train meso4 --data faces/ --out runs/meso4 --epochs 20
    unmask train synthetic --data faces/index.csv --minutes 20 --leave-out sd21
    unmask train sequence --data videos/ --frames 40 --start resnext50.pt
    unmask train all --data faces/index.csv --resume

    meso4-video and sequence learn from videos, the others from pictures. Items of one group (a video, a person, an
    original) never end up on both sides of a split. A run that was killed goes on with --resume. A GPU is used where
    PyTorch or TensorFlow sees one. Needs the `train` extra: pip install 'unmask[train]'.
    """
    out = out or Path("runs") / recipe
    _talk()
    with training("Training"):
        from models.training.plan import Wish

        wish = Wish(options["minutes"], options["epochs"], options["seed"], options["resume"])
        click.echo(_run(recipe, data, out, wish, options))


def _talk() -> None:
    """What recipes log is what a person wants to see; of what their frameworks log, warnings."""
    logging.basicConfig(format="%(message)s")
    logging.getLogger("models").setLevel(logging.INFO)


def _run(recipe: str, data: Path, out: Path, wish: Wish, options: dict[str, Any]) -> str:
    """What came of it, in a sentence."""
    pictures, clips = options["ilimit"] or options["limit"], options["vlimit"] or options["limit"]
    if recipe == "all":
        from models.training import ship

        return ship.run(data, out, wish)
    if recipe == "sequence":
        from models.training import sequence

        made = sequence.run(data, out, wish, int(options["frames"]), options["start"], clips)
        right = f"{made.accuracy:.0%} of {made.clips} clips right"
        return f"{right}: {out}. `unmask models import sequence FILE --over-time` uses its file."
    if recipe == "meso4-video":
        from models.training import meso_video

        meso_video.run(data, out, wish, clips)
    elif recipe == "blend":
        from models.networks import lite0
        from models.training import blend
        from models.training.pairs import Mix

        mix = Mix(side=int(options["size"]), made=options["blended"], fakes=blend.FAKES, people=blend.PEOPLE)
        blend.run(data, out, wish, options["left_out"], mix, options["blocks"] or lite0.BLOCKS, pictures)
    elif recipe == "synthetic":
        from models.training import synthetic

        synthetic.run(data, out, wish, options["left_out"], options["control"], pictures)
    elif recipe == "efficientnet":
        from models.training import efficientnet

        efficientnet.run(data, out, wish, options["base"], options["start"], pictures)
    else:
        from models.training import meso

        meso.run(recipe, data, out, wish, pictures)
    return f"Done: {out}. `unmask models install {out}` uses it; its card and curves lie there, too."
