from __future__ import annotations

import tomllib
from pathlib import Path

import numpy as np
import pytest

from models import calibrate, ensemble, fit
from models.calibrate import Calibration
from models.errors import CalibrationError
from models.evaluate.metrics import calibration_error

FLAGGING = Path(__file__).parent / "flagging_calibration.toml"


def scores(count: int, seed: int = 0) -> tuple[list[float], list[str], list[str]]:
    """A detector that is overconfident by half and leans towards real."""
    rng = np.random.default_rng(seed)
    fake = rng.random(count) < 0.3
    logits = np.where(fake, 1.0, -1.0) + rng.normal(0, 1.41, count)  # truly a ratio of the same size
    return (
        [ensemble.sigmoid(1.5 * x - 1.0) for x in logits],
        np.where(fake, "face_swap", "").tolist(),
        [f"g{i // 2}" for i in range(count)],
    )


@pytest.fixture(scope="module")
def fitted() -> Calibration:
    values, made, groups = scores(2000)
    return fit.fit({"meso4": values}, made, groups, id="2026-01-01", dataset="made up")


def test_fit_undoes_the_detectors_faults(fitted: Calibration) -> None:
    platt = fitted.detectors["meso4"]
    assert platt.slope == pytest.approx(1 / 1.5, rel=0.15)
    assert platt.intercept == pytest.approx(1 / 1.5, abs=0.2)
    assert platt.weight > 0.9
    assert len(platt.refits) == 200
    values, made, _ = scores(4000, seed=1)
    fake = np.array(made) != ""
    prior = float(np.mean(fake))
    probabilities = np.array([ensemble.calibrated(p, platt, prior) for p in values])
    assert calibration_error(probabilities, fake) < 0.04


def test_p_values_of_genuine_items_hold_what_they_promise(fitted: Calibration) -> None:
    values, made, _ = scores(4000, seed=2)
    platt = fitted.detectors["meso4"]
    p = np.array([fitted.p_value(ensemble.ratio(v, platt)) for v, f in zip(values, made, strict=True) if not f])
    assert (p <= 0.01).mean() < 0.02
    assert 0.03 < (p <= 0.05).mean() < 0.075


def test_the_file_holds_what_was_fitted(fitted: Calibration, tmp_path: Path) -> None:
    path = tmp_path / "c.toml"
    path.write_text(calibrate.written(fitted))
    again = calibrate.load(path)
    assert again.id == "2026-01-01"
    assert again.real == pytest.approx(fitted.real, abs=1e-4)
    assert again.detectors["meso4"].slope == pytest.approx(fitted.detectors["meso4"].slope, abs=1e-5)
    assert calibrate.written(again) == calibrate.written(fitted)


def test_a_useless_detector_gets_next_to_no_say() -> None:
    values, made, groups = scores(1000)
    noise = np.random.default_rng(3).random(1000).tolist()
    both = fit.fit({"good": values, "noise": noise}, made, groups, id="x", dataset="x")
    share = {name: platt.weight * platt.slope for name, platt in both.detectors.items()}
    assert share["noise"] < 0.2 * share["good"]


def test_two_that_say_the_same_share_one_vote() -> None:
    values, made, groups = scores(1000)
    twins = fit.fit({"a": values, "b": values}, made, groups, id="x", dataset="x")
    assert sum(platt.weight for platt in twins.detectors.values()) == pytest.approx(1.0, abs=0.15)


def test_abstentions_are_left_out(fitted: Calibration) -> None:
    values, made, groups = scores(2000)
    patchy = [float("nan") if i % 5 == 0 else value for i, value in enumerate(values)]
    partly = fit.fit({"meso4": patchy}, made, groups, id="x", dataset="x")
    assert partly.detectors["meso4"].slope == pytest.approx(fitted.detectors["meso4"].slope, rel=0.1)


def test_each_hypothesis_is_fitted_on_its_own_fakes_and_the_stronger_one_keeps_its_promise() -> None:
    """A detector of swaps that finds made pictures more genuine than life, beside one that finds them."""

    def drawn(seed: int) -> tuple[dict[str, list[float]], list[str]]:
        rng = np.random.default_rng(seed)
        made = rng.choice(["", "", "face_swap", "synthetic"], 4000)
        swap = np.where(made == "face_swap", 1.5, np.where(made == "synthetic", -4.0, -1.5)) + rng.normal(0, 1.4, 4000)
        whole = np.where(made == "synthetic", 2.0, -2.0) + rng.normal(0, 1.8, 4000)
        return {
            "swap": [ensemble.sigmoid(x) for x in swap],
            "whole": [ensemble.sigmoid(x) for x in whole],
        }, made.tolist()

    known, made = drawn(1)
    groups = [f"g{i}" for i in range(4000)]
    kinds = {"whole": "synthetic"}
    fitted = fit.fit(known, made, groups, id="x", dataset="x", hypotheses=kinds)
    assert {name: platt.hypothesis for name, platt in fitted.detectors.items()} == {"swap": "face_swap", **kinds}
    assert min(platt.weight for platt in fitted.detectors.values()) > 0.9, "neither is thinned by the other's fakes"
    assert len(fitted.real) == made.count("")
    assert {name: len(scores) for name, scores in fitted.fake.items()} == {h: made.count(h) for h in fitted.fake}
    new, truth = drawn(2)
    said = [ensemble.combine({name: p[i] for name, p in new.items()}, fitted) for i in range(4000)]
    p = np.array([one.p_value for one in said if one])
    assert (p[np.array(truth) == ""] <= 0.01).mean() < 0.015
    assert (p[np.array(truth) == "synthetic"] <= 0.01).mean() > 0.25
    alone = fit.fit(
        known, [m if m != "synthetic" else "face_swap" for m in made], groups, id="x", dataset="x", hypotheses=kinds
    )
    assert set(alone.detectors) == {"swap"}, "nothing says how far to trust one whose fakes are absent"


def test_too_few_genuine_items_are_refused() -> None:
    with pytest.raises(CalibrationError, match="99 genuine"):
        fit.fit({"a": [0.5] * 100}, ["face_swap"] * 60 + [""] * 40, ["g"] * 100, id="x", dataset="x")


def test_p_value_counts_the_item_itself() -> None:
    flagging = calibrate.load(FLAGGING)
    assert flagging.p_value(5.0) == 1 / 200
    assert flagging.p_value(-9.0) == 1.0
    assert flagging.p_value(5.0, tracks=4) == 4 / 200
    assert flagging.fake_quantile(0.5, "face_swap") == pytest.approx(2 / 3)


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ("", "lacks 'id'"),
        ("id = 3 3", "not understood"),
        (FLAGGING.read_text().replace("slope = 0.01", "slope = -1.0"), "slope"),
        (FLAGGING.read_text().replace("prior = 0.5", "prior = 0.0"), "prior"),
        (FLAGGING.read_text().replace("face_swap = [-1.0, 0.0, 1.0]", "face_swap = [1.0, 0.0]"), "ascending"),
        (FLAGGING.read_text().replace('hypothesis = "face_swap"', 'hypothesis = "art"'), "hypothesis is one of"),
        (FLAGGING.read_text().replace('hypothesis = "face_swap"', 'hypothesis = "synthetic"'), "lacks synthetic"),
        (FLAGGING.read_text().replace('hypothesis = "face_swap"\n', ""), "lacks 'hypothesis'"),
        (FLAGGING.read_text().replace("\n[scores.fake]\nface_swap = ", "fake = "), "one hypothesis for everything"),
        (FLAGGING.read_text().replace("weight = 1.0", 'weight = "much"'), "not understood"),
        (FLAGGING.read_text().replace("slope = 0.01", "slope = nan"), "numbers"),
        (FLAGGING.read_text().replace("face_swap = [-1.0, 0.0, 1.0]", "face_swap = [nan]"), "numbers"),
        (FLAGGING.read_text().replace("likely_p = 0.01", "likely_p = 1.0"), "between 0 and 1"),
        (FLAGGING.read_text().replace("no_evidence_quantile = 0.05", "no_evidence_quantile = nan"), "between 0 and 1"),
        (FLAGGING.read_text().replace("low = 0.35", "low = 0.7"), "bands"),
    ],
)
def test_a_bad_file_is_named_with_what_is_wrong(tmp_path: Path, change: str, complaint: str) -> None:
    path = tmp_path / "c.toml"
    path.write_text(change)
    with pytest.raises(CalibrationError, match=complaint):
        calibrate.load(path)


def test_a_missing_file(tmp_path: Path) -> None:
    with pytest.raises(CalibrationError, match="cannot be read"):
        calibrate.load(tmp_path / "none.toml")


def test_the_shipped_calibration_can_reach_a_likely_verdict() -> None:
    shipped = calibrate.load()
    text = tomllib.loads(calibrate.SHIPPED.read_text())
    assert (text["reals"], text["fakes"]) == (len(shipped.real), sum(map(len, shipped.fake.values())))
    assert shipped.p_value(1000.0) <= shipped.likely_p
    assert all(len(platt.refits) == fit.REFITS for platt in shipped.detectors.values())


def test_few_items_are_not_scored_by_scales_that_were_fitted_on_them() -> None:
    """Thirty detectors of noise flatter themselves on the items they were fitted on, and on no others."""
    rng = np.random.default_rng(0)
    noise = {f"d{i}": rng.random(200).tolist() for i in range(30)}
    made = ["face_swap" if i % 2 else "" for i in range(200)]
    fitted = fit.fit(noise, made, [f"g{i}" for i in range(200)], id="x", dataset="x")
    apart = float(np.mean(fitted.fake["face_swap"]) - np.mean(fitted.real))
    said = [[ensemble.ratio(p, fitted.detectors[name]) for p in values] for name, values in noise.items()]
    in_sample = np.sum(said, axis=0)
    flattered = float(np.mean(in_sample[1::2]) - np.mean(in_sample[::2]))
    assert flattered > 0.2
    assert apart < flattered / 2


def test_one_group_that_holds_a_whole_class_cannot_be_held_out() -> None:
    rng = np.random.default_rng(1)
    made = [""] * 100 + ["face_swap"] * 30
    groups = [f"g{i}" for i in range(100)] + ["one"] * 30
    fitted = fit.fit({"a": rng.random(130).tolist()}, made, groups, id="x", dataset="x")
    assert len(fitted.real) == 100
