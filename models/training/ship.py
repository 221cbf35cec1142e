"""Everything that ships, trained again: `unmask train all`. One process a recipe, each of at most two hours.

A recipe that is done is not run again, one that was killed goes on: the command may be repeated until it is through.
Then one joint calibration on groups no recipe learned from, in which each detector's weight is earned beside the
others, and what ships: weights, manifest, calibration and cards.
"""

from __future__ import annotations

import datetime
import logging
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from models import calibrate, catalogue, manifest
from models.calibrate import Calibration
from models.errors import WeightsError
from models.evaluate import for_page
from models.training import learned, listing, publish, shard
from models.training.plan import Wish
from models.training.prepare import prepare

log = logging.getLogger(__name__)

# Minutes of learning on two CPU cores; measuring takes about five more, and cutting the faces, once, about twenty.
MINUTES = {"meso4": 40.0, "mesoinception4": 40.0, "blend": 105.0, "synthetic": 20.0}
HEADING = "# What ships in this folder. One table a detector; written by training, read by models/manifest.py.\n"
SECTION, NEXT = "## Calibration\n", "\n## Where it fails"
UNMASK = (sys.executable, "-c", "from server.cli import main; main()")


def run(data: Path, out: Path, wish: Wish) -> str:
    """`out` gets the faces and a folder a recipe; models/weights and models/cards get what ships."""
    minutes = {recipe: wish.minutes or usual for recipe, usual in MINUTES.items()}
    left = [recipe for recipe in minutes if not (out / recipe / "weights" / manifest.FILE).is_file()]
    told = ", ".join(f"{recipe} {minutes[recipe]:g} minutes" for recipe in left)
    log.warning("%d of %d runs left: %s", len(left), len(minutes), told or "none")
    faces = out / "faces"
    prepare(data, faces)
    for recipe in left:
        words = ("--minutes", str(minutes[recipe]), "--seed", str(wish.seed), "--resume", "--out", str(out / recipe))
        _unmask("train", recipe, "--data", str(faces), *words)
    calibration = ship([out / recipe for recipe in minutes], data, faces, manifest.WEIGHTS, catalogue.CARDS)
    _unmask("evaluate", str(faces), "--held-out", "--for-models", "--out", str(out / "evaluation"))
    weights = ", ".join(f"{name} {platt.weight:.2f}" for name, platt in calibration.detectors.items())
    return f"{manifest.WEIGHTS} holds what ships. Weights in the joint calibration: {weights}."


def _unmask(*words: str) -> None:
    """A process of its own: TensorFlow and PyTorch do not share one well, and what one run took is given back."""
    if subprocess.run((*UNMASK, *words), check=False).returncode:
        raise WeightsError(f"`unmask {' '.join(words[:2])}` failed, as said above. Repeated, this goes on from there.")


def ship(outs: Sequence[Path], data: Path, faces: Path, weights: Path, cards: Path) -> Calibration:
    """Calibrate what lies in `outs` jointly on the prepared `faces`, and put it where it ships from."""
    entries = {name: entry for out in outs for name, entry in manifest.read_one(out / "weights").items()}
    sets = {name: {part.strip() for part in entry.trained_on.split(",")} for name, entry in entries.items()}
    calibration = publish.joint(
        {name: publish.Scorer(entry.path) for name, entry in entries.items()},
        {name: entry.sha256 for name, entry in entries.items()},
        shard.read_prepared(faces),
        datetime.datetime.now(datetime.UTC).date().isoformat(),
        left_out={item.dataset for item in shard.read_prepared(faces).items} - set().union(*sets.values()),
        kinds={name: entry.kinds for name, entry in entries.items()},
    )
    pictures = listing.pictures(data)
    for name, entry in entries.items():
        shutil.copyfile(entry.path, weights / entry.file)
        for_page.carry(entry, weights)
        used = [item for item in pictures.items if item.dataset in sets[name]]
        learned.write(weights / entry.file, pictures.root, used)
        card = (entry.folder.parent / "cards" / f"{name}.md").read_text(encoding="utf-8")
        (cards / f"{name}.md").write_text(jointly(card, name, calibration), encoding="utf-8")
    tables = [(out / "weights" / manifest.FILE).read_text(encoding="utf-8").partition("\n")[2] for out in outs]
    (weights / manifest.FILE).write_text(HEADING + "\n".join(tables), encoding="utf-8")
    (weights / calibrate.SHIPPED.name).write_text(calibrate.written(calibration), encoding="utf-8")
    return calibration


def jointly(card: str, name: str, calibration: Calibration) -> str:
    """The card with the calibration that ships in place of the one of its own."""
    before, _, rest = card.partition(SECTION)
    return f"{before}{SECTION}\n{_joint(name, calibration)}\n{NEXT}{rest.partition(NEXT)[2]}"


def _joint(name: str, calibration: Calibration) -> str:
    platt = calibration.detectors.get(name)
    if platt is None:
        return "None: no item of the calibration shows what it looks for. It is shown with weight 0."
    others = [other for other, its in calibration.detectors.items() if its.hypothesis == platt.hypothesis]
    share = "alone" if len(others) == 1 else f"beside {', '.join(other for other in others if other != name)}"
    fakes = len(calibration.fake[platt.hypothesis])
    words = "" if platt.weight else " **It adds nothing to the others: weight 0.**"
    reals = len(calibration.real)
    return f"""Platt scaling on {reals:,} genuine and {fakes:,} manipulated faces no recipe learned from
({calibration.dataset}). Its weight, earned {share}: {platt.weight:.2f}; its log-likelihood ratio never passes
{platt.cap:.1f}.{words}"""
