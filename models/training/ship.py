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
from models.training import crops, learned, listing, publish
from models.training.plan import Wish
from models.training.shard import WIDE
from models.training.split import part_of

log = logging.getLogger(__name__)

# Minutes of learning on two CPU cores; cutting the faces before and measuring after take about ten more.
MINUTES = {"meso4": 40.0, "mesoinception4": 40.0, "blend": 105.0, "synthetic": 20.0}
HEADING = "# What ships in this folder. One table a detector; written by training, read by models/manifest.py.\n"
SECTION, NEXT = "## Calibration\n", "\n## Where it fails"
UNMASK = (sys.executable, "-c", "from server.cli import main; main()")


def run(data: Path, out: Path, wish: Wish, most: int | None = None) -> str:
    """`out` gets a folder a recipe; models/weights and models/cards get what ships."""
    minutes = {recipe: wish.minutes or usual for recipe, usual in MINUTES.items()}
    left = [recipe for recipe in minutes if not (out / recipe / "weights" / manifest.FILE).is_file()]
    told = ", ".join(f"{recipe} {minutes[recipe]:g} minutes" for recipe in left)
    log.warning("%d of %d runs left: %s", len(left), len(minutes), told or "none")
    for recipe in left:
        _share_crops(out, out / recipe)
        words = ["--minutes", str(minutes[recipe]), "--seed", str(wish.seed), "--resume"]
        words += ["--limit", str(most)] if most else []
        command = (*UNMASK, "train", recipe, "--data", str(data), "--out", str(out / recipe), *words)
        if subprocess.run(command, check=False).returncode:
            raise WeightsError(f"The run of {recipe} failed, as said above. Repeated, it goes on from there.")
    calibration = ship([out / recipe for recipe in minutes], data, out, manifest.WEIGHTS, catalogue.CARDS, most)
    weights = ", ".join(f"{name} {platt.weight:.2f}" for name, platt in calibration.detectors.items())
    return f"{manifest.WEIGHTS} holds what ships. Weights in the joint calibration: {weights}."


def ship(
    outs: Sequence[Path], data: Path, work: Path, weights: Path, cards: Path, most: int | None = None
) -> Calibration:
    """Calibrate what lies in `outs` jointly, and put it where it ships from. `work`: for crops that are cut once."""
    entries = {name: entry for out in outs for name, entry in manifest.read_one(out / "weights").items()}
    listed = listing.pictures(data, most)
    held_out = [item for item in listed.items if part_of(item.group) == "calibrate"]
    calibration = publish.joint(
        {name: publish.Scorer(entry.path) for name, entry in entries.items()},
        {name: entry.sha256 for name, entry in entries.items()},
        crops.prepare(listed.root, held_out, work / "crops", cutting=WIDE),
        datetime.datetime.now(datetime.UTC).date().isoformat(),
        kinds={name: entry.kinds for name, entry in entries.items()},
    )
    for name, entry in entries.items():
        for path in (entry.path, entry.path.with_suffix(learned.ENDING)):
            shutil.copyfile(path, weights / path.name)
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


def _share_crops(out: Path, recipe: Path) -> None:
    """Two recipes that want the same faces cut alike have them cut once."""
    (recipe / "work").mkdir(parents=True, exist_ok=True)
    (out / "crops").mkdir(exist_ok=True)
    link = recipe / "work" / "crops"
    if not link.exists():
        link.symlink_to(Path("../../crops"))
