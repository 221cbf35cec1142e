"""Every figure of a report against what one counts by hand."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from models.evaluate.figures import Scored, curves, figures
from models.evaluate.measure import measure
from models.evaluate.report import markdown, sections, shown
from models.evaluate.run import Heard, Result
from models.evaluate.samples import Sample
from models.manifest import Entry

LIKELY, UNSURE, CLEAR, NONE = "manipulation_likely", "inconclusive", "no_evidence_found", "not_assessable"
# (fake, score, label): three of four reals and three of four fakes could be judged.
ITEMS = [
    (False, 0.1, CLEAR), (False, 0.3, UNSURE), (False, 0.7, LIKELY), (False, None, NONE),
    (True, 0.9, LIKELY), (True, 0.8, LIKELY), (True, 0.3, UNSURE), (True, None, NONE),
]  # fmt: skip


def scored() -> Scored:
    return Scored(
        np.array([np.nan if score is None else score for _, score, _ in ITEMS]),
        [said for _, _, said in ITEMS],
        np.array([fake for fake, _, _ in ITEMS]),
        [str(n) for n in range(8)],
        np.full(8, 0.5),
    )


def test_figures_by_hand() -> None:
    row = figures(scored())
    assert (row["reals"], row["fakes"], row["judged_reals"], row["judged_fakes"]) == (4, 4, 3, 3)
    assert row["auc"]["value"] == pytest.approx((3 + 3 + 1 + 0.5) / 9)
    assert row["auc"]["low"] <= row["auc"]["value"] <= row["auc"]["high"]
    assert row["confusion"] == {"fakes_found": 2, "fakes_missed": 1, "reals_flagged": 1, "reals_passed": 2}
    assert (row["accuracy"], row["precision"], row["recall"], row["f1"]) == pytest.approx((4 / 6, 2 / 3, 2 / 3, 2 / 3))
    assert row["brier"] == pytest.approx((0.01 + 0.09 + 0.49 + 0.01 + 0.04 + 0.49) / 6)
    assert row["tpr_at_fpr_0.01"]["value"] == pytest.approx(2 / 3)
    assert (row["inconclusive"], row["not_assessable"], row["seconds"]) == (0.25, 0.25, 0.5)
    assert row["outcomes"] == {LIKELY: 3, UNSURE: 2, CLEAR: 1, NONE: 2}
    assert row["flagged_genuine"]["share"] == pytest.approx(1 / 3)
    assert row["flagged_genuine"]["upper"] == pytest.approx(0.8646, abs=1e-4)
    assert row["flagged_manipulated"]["count"] == 2
    assert row["precision_at_1_percent"]["value"] == pytest.approx(2 / 300 / (2 / 300 + 0.33))


def test_without_fakes_only_false_alarms_are_measured() -> None:
    genuine = scored().only(~scored().fake)
    row = figures(genuine)
    assert (row["auc"], row["ece"], row["flagged_manipulated"]["share"]) == (None, None, None)
    assert row["flagged_genuine"]["count"] == 1
    assert curves(genuine)["roc"] == []
    assert figures(genuine.only(np.zeros(4, np.bool_)))["seconds"] is None


def test_curves_hold_every_item() -> None:
    shown = curves(scored())
    assert (sum(shown["reals"]), sum(shown["fakes"])) == (3, 3)
    assert shown["roc"][0] == [0, 0]
    assert shown["roc"][-1] == [1, 1]
    assert sum(row[2] for row in shown["reliability"]) == 6


def samples() -> list[Sample]:
    traits = {"gender": "female", "origin": "Asian"}
    return [
        Sample(f"{n}", Path(), fake, f"twin{n % 4}", "swap" if n == 4 else "", "a" if n % 4 < 2 else "b",
               {} if fake else traits)
        for n, (fake, _, _) in enumerate(ITEMS)
    ]  # fmt: skip


def results(change: str = "", drop: float = 0.0, lost: tuple[str, ...] = ()) -> list[Result]:
    return [
        Result(str(n), change, "p", 0.5, said, None if score is None else score - drop * fake, (),
               {"net": Heard(score, "high", 20, None)})
        if str(n) not in lost else Result(str(n), change, "p", 0.1, error="corrupt_media")
        for n, (fake, score, said) in enumerate(ITEMS)
    ]  # fmt: skip


NET = Entry("net", "1", "Net", "-", (), Path(), "net.onnx", "0", trained_on="a")


def test_parts_twins_traits_and_changes() -> None:
    told = measure(samples(), [*results(), *results("JPEG 50", 0.25, ("5",))], ["net"], {"net": NET})
    assert told["items"] == 8
    assert told["errors"] == {}
    assert sum(told["used"]["net"].values()) == 8
    assert told["used"]["net"]["not used"] == 4
    assert set(told["overall"]) == {"ensemble", "net"}
    assert told["overall"]["net"]["seconds"] == pytest.approx(0.02)
    assert told["by_set"]["a"]["ensemble"]["judged_reals"] == 2
    assert (told["by_method"]["swap"]["ensemble"]["fakes"], told["by_method"]["swap"]["ensemble"]["reals"]) == (1, 2)
    assert told["by_trait"]["origin"]["Asian"] == told["by_trait"]["gender"]["female"]
    assert told["by_trait"]["origin"]["Asian"]["count"] == 1
    # .9 against .1, .8 against .3; .3 against .7; the fourth pair was not judged
    assert told["twins"]["ensemble"] == {"above": 2, "of": 3}
    change = told["changes"]["JPEG 50"]["ensemble"]
    assert change["lost"] == pytest.approx(1 / 6)
    assert change["before"] == pytest.approx((3 + 1 + 0.5) / 6)
    assert change["after"] == pytest.approx((2 + 0) / 6)
    assert change["cost"]["value"] == pytest.approx(change["before"] - change["after"])


def test_what_could_not_be_read_is_counted_apart() -> None:
    told = measure(samples(), results(lost=("0", "4")), ["net"], {})
    assert told["errors"] == {"corrupt_media": 2}
    assert (told["overall"]["ensemble"]["reals"], told["overall"]["ensemble"]["fakes"]) == (3, 3)


def test_who_said_nothing_has_no_plot_and_no_column() -> None:
    told = measure(samples(), results(), ["net", "mute"], {}) | {"about": ""}
    made = sections(told)
    assert not any("mute" in name for section in made for name in section.plots)
    text = markdown("T", made)
    assert "| mute | - |" in text
    assert "AUC, mute" not in text


def test_a_report_says_it_in_words_and_draws_it() -> None:
    told = measure(samples(), [*results(), *results("JPEG 50")], ["net"], {"net": NET}) | {"about": "As it is."}
    made = sections(told)
    text = markdown("Evaluation on faces", made)
    assert text.startswith("# Evaluation on faces\n")
    assert "4 genuine and 4 manipulated could be read, 3 and 3 of them judged" in text
    assert "1 of 3 (33.3 %) genuine (at most 86.5 % with 95 % confidence)" in text
    assert "2 of 3 manipulated items score above the genuine one of their group" in text
    assert "| swap | 2 / 1 |" in text
    assert "| JPEG 50 | all in one vote |" in text
    assert "![ROC" in text
    plots = {plot["title"] for section in shown(made) for plot in section["plots"]}
    assert {"ROC: found against false alarms", "Labels given, all in one vote", "Scores of net"} <= plots
