"""Which detectors and face finders there are, one line each. Standard library only: the web process may list them.

To add one: a file in models/detectors with a function (name, threads) -> Detector, and its line here. Classifiers in
ONNX need neither: a table in a manifest is enough (models/manifest.py).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from importlib import import_module
from typing import TYPE_CHECKING, Any, NamedTuple

from models import manifest
from models.errors import NotInstalled, UnknownDetector, UnknownFinder

if TYPE_CHECKING:
    from models.types import Detector, Found, Rgb


class Line(NamedTuple):
    load: str  # "module:function"
    weights: str = ""  # what brings its weights; empty for one that needs none
    glances: bool = False  # it looks between the frames, too


_IMPORT = "`unmask models import {} FILE`"
DETECTORS: dict[str, Line] = {
    "meso4": Line("models.detectors.meso:load", f"`unmask train meso4`, or {_IMPORT.format('meso4')}"),
    "blend": Line("models.detectors.blend:load", "`unmask train blend`"),
    "synthetic": Line("models.detectors.synthetic:load", "`unmask train synthetic`"),
    "mesoinception4": Line(
        "models.detectors.meso:load", f"`unmask train mesoinception4`, or {_IMPORT.format('mesoinception4')}"
    ),
    "meso4_video": Line("models.detectors.meso:load_over_time", "`unmask train meso4-video`, from clips"),
    "sequence": Line("models.detectors.sequence:load", _IMPORT.format("sequence")),
    "blink": Line("models.detectors.blink:load", glances=True),
    "efficientnet": Line(
        "models.detectors.efficientnet:load", f"`unmask train efficientnet`, or {_IMPORT.format('efficientnet')}"
    ),
}
DEFAULT_FINDER = "centerface"
FINDERS = {"centerface": "models.centerface:find", "hog": "models.dlibfaces:hog", "cnn": "models.dlibfaces:cnn"}
DROPPED_IN = Line("models.detectors.onnx:load", "put its file back beside its manifest")


def names() -> tuple[str, ...]:
    """Every detector by name: those of the code, then the classifiers that were dropped in."""
    dropped = (name for name, entry in manifest.read().items() if entry.detector == "onnx" and name not in DETECTORS)
    return (*DETECTORS, *dropped)


def installed() -> tuple[str, ...]:
    entries = manifest.read()
    return tuple(name for name in names() if not line(name).weights or (name in entries and entries[name].installed))


def missing() -> tuple[str, ...]:
    """Detectors that a manifest lists and whose files are gone: every verdict is made without them."""
    return tuple(name for name, entry in manifest.read().items() if not entry.installed)


def chosen(wanted: Iterable[str] | None) -> tuple[str, ...]:
    """The names themselves, all that are installed for None; refuses what is unknown or not installed."""
    have = installed()
    if wanted is None:
        return have
    for name in (asked := tuple(dict.fromkeys(wanted))):
        if name not in have:
            raise NotInstalled(f"The detector {name} is not installed: {line(name).weights}.")
    return asked


def line(name: str) -> Line:
    if name not in (known := names()):
        raise UnknownDetector(f"There is no detector {name!r}. Choose from: {', '.join(known)}.")
    return DETECTORS.get(name, DROPPED_IN)


def load(name: str, threads: int) -> Detector:
    detector: Detector = _named(line(name).load)(name, threads)
    return detector


def finder(name: str) -> Callable[[Rgb, int], list[Found]]:
    """(rgb, threads) -> the faces of a picture."""
    if name not in FINDERS:
        raise UnknownFinder(f"There is no face finder {name!r}. Choose from: {', '.join(FINDERS)}.")
    find: Callable[[Rgb, int], list[Found]] = _named(FINDERS[name])
    return find


def _named(place: str) -> Any:
    module, function = place.split(":")
    return getattr(import_module(module), function)
