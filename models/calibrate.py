"""The calibration file: all numbers between a detector's raw score and a verdict. No threshold lives in code.

    id = "2026-11-21"                # enters the pipeline version: change it with the content
    dataset = "held-out groups of ..."
    prior = 0.5                      # share of manipulated media the probability holds for

    [labels]
    likely_p = 0.01                  # "likely" at a conformal p-value up to this
    no_evidence_quantile = 0.05      # "no evidence" below this quantile of the fakes

    [bands]                          # a detector's band, by its calibrated probability
    low = 0.35
    high = 0.65

    [detectors.meso4]                # log-likelihood ratio = weight * (slope * logit(p_fake) + intercept)
    hypothesis = "face_swap"         # what it speaks for (models/hypotheses.py): ratios of one hypothesis add up
    slope = 1.2                      # above 0
    intercept = -0.3
    weight = 1.0                     # 0 to 1, earned on the calibration set
    cap = 3.0                        # the ratio approaches -cap and cap: cap * tanh(ratio / cap)
    weights = "33d8..."              # sha256 of the weights it was fitted on; with others it does not count
    refits = [[1.1, -0.2], ...]      # slope and intercept of group-bootstrap refits, for the interval

    [scores]                         # summed ratios of the calibration items, ascending
    real = [-4.1, ..., 3.9]          # of each genuine item the sum of the stronger hypothesis, as a verdict takes it

    [scores.fake]                    # of each manipulated item the sum of the hypothesis that is true of it
    face_swap = [-2.0, ..., 5.2]
    synthetic = [-1.0, ..., 3.3]

    [clips]                          # only where 200 genuine clips were at hand: what videos are judged by, in place of
    dataset = "..."                  # all above but labels and bands; a person is then the best 30 % of the faces, and
    [clips.detectors.meso4]          # not the median
    [clips.scores]

Whoever hands in such a file changes verdicts without touching anything else: `load(path)`.
"""

from __future__ import annotations

import json
import math
import tomllib
from bisect import bisect_left
from collections.abc import Mapping
from dataclasses import dataclass, replace
from itertools import chain
from pathlib import Path
from typing import Any

from models.errors import CalibrationError
from models.hypotheses import ALL, FACE_SWAP

SHIPPED = Path(__file__).parent / "weights" / "calibration.toml"
ROUNDING = 1e-9  # of a share times a count


@dataclass(frozen=True)
class Platt:
    """One detector's scale. `refits` are (slope, intercept) of bootstrap refits."""

    slope: float
    intercept: float
    weight: float
    cap: float
    refits: tuple[tuple[float, float], ...] = ()
    weights: str = ""  # empty: whatever is installed
    hypothesis: str = FACE_SWAP

    def __post_init__(self) -> None:
        _check_numbers(self.slope, self.intercept, self.weight, self.cap, *chain.from_iterable(self.refits))
        if self.slope <= 0 or self.cap <= 0 or not 0 <= self.weight <= 1:
            raise CalibrationError("slope and cap must lie above 0, and weight between 0 and 1.")
        if self.hypothesis not in ALL:
            raise CalibrationError(f"a detector's hypothesis is one of {', '.join(ALL)}, not {self.hypothesis!r}.")


@dataclass(frozen=True)
class Calibration:
    id: str
    dataset: str
    prior: float
    likely_p: float
    no_evidence_quantile: float
    low_band: float
    high_band: float
    detectors: Mapping[str, Platt]
    real: tuple[float, ...]
    fake: Mapping[str, tuple[float, ...]]  # by hypothesis
    clips: Calibration | None = None
    best_faces: bool = False  # a person is the best faces; else the median of all

    def __post_init__(self) -> None:
        if not all(0 < share < 1 for share in (self.prior, self.likely_p, self.no_evidence_quantile)):
            raise CalibrationError("prior, likely_p and no_evidence_quantile must lie between 0 and 1.")
        if not 0 <= self.low_band < self.high_band <= 1:
            raise CalibrationError("bands must lie between 0 and 1, low below high.")
        if not self.fake:
            raise CalibrationError("scores.fake names no hypothesis.")
        _check_numbers(*self.real, *chain.from_iterable(self.fake.values()))
        if not all(scores and list(scores) == sorted(scores) for scores in (self.real, *self.fake.values())):
            raise CalibrationError("scores.real and those of scores.fake must be lists in ascending order.")
        if lacking := {platt.hypothesis for platt in self.detectors.values()} - self.fake.keys():
            raise CalibrationError(f"scores.fake lacks {', '.join(sorted(lacking))}, for which a detector speaks.")

    def of_kind(self, kind: str) -> Calibration:
        """What media of that kind, image or video, are judged by."""
        return self.clips if kind == "video" and self.clips else self

    def p_value(self, score: float, tracks: int = 1) -> float:
        """Conformal: how many genuine items score as high, the item itself counted among them. Times the tracks.

        Genuine items count with their stronger hypothesis, so that taking the stronger one of a file is allowed for.
        """
        as_high = len(self.real) - bisect_left(self.real, score)
        return min(1.0, tracks * (1 + as_high) / (1 + len(self.real)))

    def fake_quantile(self, score: float, hypothesis: str) -> float:
        """Share of the items manipulated so that score lower."""
        return bisect_left(self.fake[hypothesis], score) / len(self.fake[hypothesis])

    def likely_above(self, tracks: int = 1) -> float | None:
        """The score above which `p_value` meets `likely_p`; None when there are too few genuine items for it."""
        as_high = math.floor(self.likely_p * (1 + len(self.real)) / max(1, tracks) - 1 + ROUNDING)
        return self.real[max(0, len(self.real) - 1 - as_high)] if as_high >= 0 else None

    def no_evidence_up_to(self, hypothesis: str) -> float:
        """The highest score of which `fake_quantile` is below `no_evidence_quantile`."""
        fake = self.fake[hypothesis]
        return fake[max(0, math.ceil(self.no_evidence_quantile * len(fake) - ROUNDING) - 1)]


def _check_numbers(*values: float) -> None:
    """TOML writes nan and inf; with one of them every comparison that makes a label is false or true for ever."""
    if not all(map(math.isfinite, values)):
        raise CalibrationError("scales and scores must be numbers, neither nan nor inf.")


def load(path: Path | None = None) -> Calibration:
    """A calibration file, or the shipped one; raises CalibrationError that names what is wrong."""
    path = path or SHIPPED
    try:
        return parsed(tomllib.loads(path.read_text(encoding="utf-8")))
    except OSError as error:
        raise CalibrationError(f"The calibration file {path} cannot be read ({error.strerror}).") from error
    except KeyError as error:
        raise CalibrationError(f"The calibration file {path} lacks {error}.") from error
    except (TypeError, ValueError, tomllib.TOMLDecodeError) as error:
        raise CalibrationError(f"The calibration file {path} is not understood: {error}.") from error


def of_weights(calibration: Calibration, digests: Mapping[str, str]) -> Calibration:
    """Without the scales of detectors whose installed weights are not those that were fitted: they say nothing then."""
    fitting = {n: p for n, p in calibration.detectors.items() if not p.weights or p.weights == digests.get(n)}
    clips = of_weights(calibration.clips, digests) if calibration.clips else None
    return replace(calibration, detectors=fitting, clips=clips)


def parsed(table: Mapping[str, Any]) -> Calibration:
    if isinstance(table.get("scores", {}).get("fake"), list):
        raise ValueError("it is of the format with one hypothesis for everything; fit it again")
    whole = Calibration(
        id=str(table["id"]),
        dataset=str(table["dataset"]),
        prior=float(table["prior"]),
        likely_p=float(table["labels"]["likely_p"]),
        no_evidence_quantile=float(table["labels"]["no_evidence_quantile"]),
        low_band=float(table["bands"]["low"]),
        high_band=float(table["bands"]["high"]),
        **_scales(table),
    )
    if "clips" not in table:
        return whole
    clips = table["clips"]
    return replace(whole, clips=replace(whole, dataset=str(clips["dataset"]), best_faces=True, **_scales(clips)))


def _scales(table: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "detectors": {name: _platt(entry) for name, entry in table["detectors"].items()},
        "real": tuple(float(score) for score in table["scores"]["real"]),
        "fake": {name: tuple(float(score) for score in scores) for name, scores in table["scores"]["fake"].items()},
    }


def _platt(entry: Mapping[str, Any]) -> Platt:
    refits = tuple((float(slope), float(intercept)) for slope, intercept in entry.get("refits", ()))
    slope, intercept, weight, cap = (float(entry[key]) for key in ("slope", "intercept", "weight", "cap"))
    return Platt(slope, intercept, weight, cap, refits, str(entry.get("weights", "")), str(entry["hypothesis"]))


def written(calibration: Calibration) -> str:
    """The file's text; `parsed(tomllib.loads(written(c))) == c` up to the rounding of the scores."""
    lines = [
        f"id = {_text(calibration.id)}",
        f"dataset = {_text(calibration.dataset)}",
        f"prior = {calibration.prior}",
        *_counts(calibration),
        "\n[labels]",
        f"likely_p = {calibration.likely_p}",
        f"no_evidence_quantile = {calibration.no_evidence_quantile}",
        "\n[bands]",
        f"low = {calibration.low_band}",
        f"high = {calibration.high_band}",
    ]
    lines += _written(calibration, "")
    if calibration.clips:
        lines += ["\n[clips]", f"dataset = {_text(calibration.clips.dataset)}", *_counts(calibration.clips)]
        lines += _written(calibration.clips, "clips.")
    return "\n".join(lines) + "\n"


def _counts(calibration: Calibration) -> list[str]:
    return [f"reals = {len(calibration.real)}", f"fakes = {sum(map(len, calibration.fake.values()))}"]


def _written(calibration: Calibration, prefix: str) -> list[str]:
    lines = []
    for name, platt in calibration.detectors.items():
        refits = ", ".join(f"[{slope:.4f}, {intercept:.4f}]" for slope, intercept in platt.refits)
        lines += [
            f"\n[{prefix}detectors.{name}]",
            f'hypothesis = "{platt.hypothesis}"',
            f"slope = {platt.slope:.6f}",
            f"intercept = {platt.intercept:.6f}",
            f"weight = {platt.weight:.4f}",
            f"cap = {platt.cap:.4f}",
            *([f'weights = "{platt.weights}"'] if platt.weights else []),
            f"refits = [{refits}]",
        ]
    lines += [f"\n[{prefix}scores]", f"real = {_listed(calibration.real)}", f"\n[{prefix}scores.fake]"]
    return lines + [f"{hypothesis} = {_listed(scores)}" for hypothesis, scores in calibration.fake.items()]


def _text(words: str) -> str:
    return json.dumps(words, ensure_ascii=False)  # TOML writes texts as JSON does


def _listed(scores: tuple[float, ...]) -> str:
    return "[" + ", ".join(f"{score:.6f}" for score in scores) + "]"
