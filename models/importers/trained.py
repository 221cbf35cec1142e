"""What a training run made, as the detector that is used: its files, table and card, beside what was imported."""

from __future__ import annotations

import shutil
import tomllib
from pathlib import Path

from models import manifest
from models.errors import WeightsError
from models.evaluate import for_page
from models.importers import install
from models.manifest import Entry
from models.training import learned


def run(out: Path) -> list[Entry]:
    """`out`: what `unmask train --out` named."""
    found = manifest.read_one(out / "weights")
    if not found:
        raise WeightsError(f"{out} holds no finished run: there is no {manifest.FILE} in its folder weights.")
    tables = tomllib.loads((out / "weights" / manifest.FILE).read_text(encoding="utf-8"))
    return [_installed(name, entry, tables[name], out / "cards" / f"{name}.md") for name, entry in found.items()]


def _installed(name: str, entry: Entry, table: dict[str, object], card: Path) -> Entry:
    if not entry.installed or install.sha256_of(entry.path) != entry.sha256:
        raise WeightsError(f"{entry.path} is not the file of its manifest. Train it again.")
    file, _ = install.keep(entry.path, name)
    record = entry.path.with_suffix(learned.ENDING)
    if record.is_file():
        shutil.copyfile(record, (install.folder() / file).with_suffix(learned.ENDING))
    for_page.carry(entry, install.folder())
    version = f"{entry.version}-{entry.sha256[:8]}"
    return install.install(name, {**table, "file": file, "version": version}, card.read_text(encoding="utf-8"))
