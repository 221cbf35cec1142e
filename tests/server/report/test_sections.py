from __future__ import annotations

from typing import Any

import pytest

from server.report import sections
from tests.server.report.verdicts import blinking, clip, detector, picture


def test_who_scores_highest_comes_first() -> None:
    first, second = sections.people(clip())
    assert (first.number, second.number) == (1, 2)
    assert first.suspicious == [(3.0, 6.0, 0.9)]
    assert second.suspicious == []
    assert first.plot is not None
    assert first.plot.shades == ((25.0, 25.0),)
    assert first.plot.level == 35


def test_a_picture_has_no_plot_over_time() -> None:
    assert [person.plot for person in sections.people(picture())] == [None]


def test_a_clip_has_a_strip_of_faces_a_person_and_a_picture_one_for_all() -> None:
    assert [(whose, len(faces)) for whose, faces in sections.strips(clip())] == [("Person 1", 2), ("Person 2", 1)]
    group = picture(segments=[{**picture()["segments"][0], "track": n, "score": n / 9} for n in range(3)])
    ((_, faces),) = sections.strips(group)
    assert [face["whose"] for face in faces] == ["Person 3", "Person 2", "Person 1"]
    assert sections.strips(clip(segments=[])) == []


def test_a_frame_is_shown_once_with_all_its_faces() -> None:
    highest, other = sections.frames(clip())
    assert (highest["frame"], len(highest["faces"])) == ("frame-6.0", 1)
    assert [face["score"] for face in other["faces"]] == [0.7, 0.4]


def test_contributions_reach_as_far_as_the_widest() -> None:
    against, for_, silent = sections.methods(clip(), [{"name": "blend", "title": "Blend"}])
    assert (against.reach, for_.reach, silent.reach) == (-10, 50, 0)
    assert (for_.title, against.title) == ("Blend", "meso4")
    assert (against.remarks, silent.remarks) == ("asked for 20 frames", "too few frames")


def test_contributions_and_the_start_add_up() -> None:
    odds = sections.log_odds(clip(prior=0.1))
    assert odds is not None
    assert odds["start"] == pytest.approx(-2.197, abs=1e-3)
    assert odds["sum"] == pytest.approx(-0.197, abs=1e-3)
    assert sections.log_odds(clip(probability=None)) is None


def test_blinks() -> None:
    found = sections.blink(blinking())
    assert found is not None
    assert found.told == (
        "1 blink in 12.0 s in which the eyes could be seen, 5.0 a minute. A number at least as unusual: 4 "
        "in 100 genuine people."
    )
    assert len(found.plot.points) == 4
    assert found.plot.limits == ("0.00,50.00 0.83,50.00 1.67,50.00 2.50,50.00",)


@pytest.mark.parametrize("detail", [None, {}, {"curve": None}, {"curve": {"t": [], "ear": []}}])
def test_without_a_curve_no_blinks_are_drawn(detail: Any) -> None:
    assert sections.blink(clip(detectors=[detector("blink", detail=detail)])) is None
    assert sections.blink(clip()) is None


def test_facts_leave_out_what_is_not_known() -> None:
    told = dict(sections.facts(picture(kinds=[])))
    assert told["Looked at"] == "4 of 360 frames"
    assert {"Length", "Kinds found", "Verdict"}.isdisjoint(told)
    assert dict(sections.facts(clip(id="v1")))["Verdict"] == "v1"
