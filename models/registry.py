"""Which detectors there are: name -> "module:function". The function takes (threads) and gives a Detector."""

from __future__ import annotations

from collections.abc import Iterable
from importlib import import_module
from typing import TYPE_CHECKING

from models.errors import UnknownDetector

if TYPE_CHECKING:
    from models.types import Detector

DETECTORS: dict[str, str] = {
    "meso4": "models.detectors.meso:load",
}


def known(names: Iterable[str] | None) -> tuple[str, ...]:
    """The names themselves, all there are for None; an unknown one is refused with the choices."""
    if names is None:
        return tuple(DETECTORS)
    chosen = tuple(dict.fromkeys(names))
    for name in chosen:
        if name not in DETECTORS:
            raise UnknownDetector(f"There is no detector {name!r}. Choose from: {', '.join(DETECTORS)}.")
    return chosen


def load(name: str, threads: int) -> Detector:
    (name,) = known([name])
    module, function = DETECTORS[name].split(":")
    detector: Detector = getattr(import_module(module), function)(threads)
    return detector
