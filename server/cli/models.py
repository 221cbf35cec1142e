"""`unmask models`: the detectors and what they need."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from server.cli.extra import training

if TYPE_CHECKING:
    from models.manifest import Entry


@click.group()
def models() -> None:
    """List the detectors and what they need, import published weights.

    \b
    unmask models list
    unmask models import meso4 Meso4_DF.h5
    """


@models.command("list")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a detector.")
def list_models(as_json: bool) -> None:
    """List every detector: installed or what to do, version, licence."""
    from models.catalogue import catalogue, unimported

    for entry in catalogue():
        if as_json:
            click.echo(json.dumps(entry))
        else:
            click.echo(f"{entry['name']:<16}{entry['version'] or '-':<19}{entry['title']}: {entry['status']}")
    for stray in unimported():
        click.echo(f"{stray['file']}: {stray['status']}", err=as_json)


@models.command("import")
@click.argument("name", metavar="NAME")
@click.argument(
    "files", metavar="FILE...", nargs=-1, required=True, type=click.Path(exists=True, dir_okay=False, path_type=Path)
)
@click.option(
    "--known", type=click.Path(exists=True, file_okay=False, path_type=Path), help="Folder with real/, fake/."
)
@click.option("--input-size", type=click.IntRange(32, 1024), help="efficientnet, onnx: side of its pictures.")
@click.option("--input-scale", type=float, default=1.0, help="efficientnet: 1, or 1/255 = 0.00392157 for old files.")
@click.option("--fake-is", type=click.Choice(["high", "low"]), help="efficientnet, onnx: which end means fake.")
@click.option("--pooling", type=click.Choice(["mean", "last"]), default="mean", help="sequence: over the frames.")
@click.option("--over-time", is_flag=True, help="sequence: the file was trained with batch_first=True.")
@click.option("--margin", type=float, default=1.33, help="onnx: crop side; 1 = tight box.")
@click.option("--colour-order", type=click.Choice(["rgb", "bgr"]), default="rgb", help="onnx.")
@click.option("--value-range", type=click.Choice(["0-255", "0-1", "-1-1"]), default="0-1", help="onnx.")
@click.option("--mean", type=float, nargs=3, default=(0.0, 0.0, 0.0), help="onnx: in the colour order.")
@click.option("--std", type=float, nargs=3, default=(1.0, 1.0, 1.0), help="onnx: in the colour order.")
@click.option("--output", default="0", help="onnx: name or number of the output.")
@click.option("--index", type=click.IntRange(0), default=0, help="onnx: column of that output.")
@click.option("--activation", type=click.Choice(["none", "sigmoid", "softmax"]), default="none", help="onnx.")
@click.option("--kind", type=click.Choice(["face_swap", "reenactment", "synthetic"]), default="face_swap", help="onnx.")
@click.option("--title", help="onnx: how people call it.")
@click.option("--licence", default="that of the file: ask who trained it", help="onnx.")
def import_model(name: str, files: tuple[Path, ...], **options: Any) -> None:
    """Install published weights from FILE under NAME; they are used from the next start on.

    \b
    unmask models import meso4 Meso4_DF.h5
    unmask models import mesoinception4 MesoInception_DF.h5 --known pictures/
    unmask models import sequence model_93_acc_100_frames_FF_data.pt model_84_acc_10_frames_FF_data.pt
    unmask models import efficientnet b7.keras --input-size 300 --fake-is high --known pictures/
    unmask models import my_net my_net.onnx --input-size 224 --fake-is high --activation softmax --index 1

    NAME is meso4, mesoinception4, sequence, efficientnet, or a new one for a classifier in ONNX. Only arrays are read
    of a file: no configuration, no code. With --known, pictures of known truth tell whether high means fake; without,
    an efficientnet abstains. Needs the `train` extra: pip install 'unmask[train]'.
    """
    from models import manifest

    if name != "sequence" and len(files) > 1:
        raise click.UsageError(f"{name} is one file.")
    shipped = manifest.read_one(manifest.WEIGHTS)
    with training("Importing"):
        entry = _imported(name, files, options)
    click.echo(f"{name} {entry.version} is installed. Its card: {entry.folder / f'{name}.md'}")
    if entry.polarity == "undecided":
        click.echo("It abstains: give --known pictures (three or more of each label) that decide which end means fake.")
    if name in shipped:
        click.echo(f"It takes the place of what ships; `unmask models remove {name}` brings that back.")
    click.echo("It is shown with weight 0 until a calibration knows these weights. Restart what runs to use it.")


@models.command("install")
@click.argument("folders", metavar="OUT...", nargs=-1, required=True, type=click.Path(exists=True, path_type=Path))
def install_models(folders: tuple[Path, ...]) -> None:
    """Use what `unmask train --out OUT` made, in place of what ships under its name.

    \b
    unmask models install runs/meso4
    """
    from models.importers import trained

    for folder in folders:
        for entry in trained.run(folder):
            click.echo(f"{entry.name} {entry.version} is installed. `unmask models remove {entry.name}` takes it away.")
    click.echo("Shown with weight 0 until `unmask calibrate` has fitted these weights. Restart what runs to use them.")


@models.command("verify")
@click.option(
    "--runs", type=click.Path(file_okay=False, path_type=Path), default="runs", show_default=True,
    help="Where training left its folders: parity with the network that was trained.",
)  # fmt: skip
@click.option("--json", "as_json", is_flag=True, help="One JSON object a check.")
def verify_models(runs: Path, as_json: bool) -> None:
    """Check the installed weights: hashes, cards, that they load, parity with the network they were made from.

    \b
    unmask models verify

    Exit status: 0 nothing is wrong, 1 something is.
    """
    from dataclasses import asdict

    wrong = False
    with training("Comparing"):
        from models.verify import verify

        for check in verify(runs):
            wrong |= check.result == "failed"
            row = json.dumps(asdict(check)) if as_json else f"{check.name:<16}{check.what:<8}{check.result:<13}"
            click.echo(row if as_json else f"{row}{check.detail}")
    if wrong:
        raise click.exceptions.Exit(1)


@models.command("remove")
@click.argument("name", metavar="NAME")
def remove_model(name: str) -> None:
    """Take away what was imported or installed under NAME; what ships under it is used again.

    \b
    unmask models remove meso4
    """
    from models.importers import install

    install.remove(name)
    click.echo(f"{name} is removed. Restart what runs.")


def _imported(name: str, files: tuple[Path, ...], options: dict[str, Any]) -> Entry:
    if name == "sequence":
        from models.importers import sequence

        return sequence.run(files, options["pooling"], options["over_time"])
    from models.importers import known

    pictures = known.read(options["known"]) if options["known"] else None
    if name in ("meso4", "mesoinception4"):
        from models.importers import meso

        return meso.run(name, files[0], pictures)
    if options["input_size"] is None or options["fake_is"] is None:
        raise click.UsageError(f"{name} needs --input-size and --fake-is.")
    if name == "efficientnet":
        from models.importers import efficientnet

        return efficientnet.run(files[0], options["input_size"], options["input_scale"], options["fake_is"], pictures)
    from models.importers import onnx_file

    return onnx_file.run(name, files[0], _table(name, options), pictures)


def _table(name: str, options: dict[str, Any]) -> dict[str, Any]:
    """An ONNX classifier's table of the manifest."""
    copied = ("input_size", "margin", "colour_order", "value_range", "index", "activation", "licence")
    output = options["output"]
    return {
        "title": options["title"] or name,
        "kinds": [options["kind"]],
        **{key: options[key] for key in copied},
        "mean": list(options["mean"]),
        "std": list(options["std"]),
        "output": int(output) if output.isdecimal() else output,
        "polarity": f"{options['fake_is']} is fake",
    }
