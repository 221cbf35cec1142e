"""The score over time: pages and reports find the same stretches, and the page draws them."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from server.report import charts
from tests.server.report.verdicts import clip

pytestmark = pytest.mark.browser
CASES = [
    [],
    [(0.0, 0.9)],
    [(0.0, 0.1), (1.0, 0.65), (2.0, 0.9), (3.0, 0.2), (4.0, 0.8)],
    [(0.0, 0.9), (1.0, 0.9), (2.0, 0.9), (9.0, 0.9), (10.0, 0.7)],
    [(0.0, 0.9), (0.5, 0.9), (2.0, 0.1), (2.5, 0.9), (7.0, 0.8), (7.0, 0.9)],
]


def test_pages_and_reports_find_the_same_stretches(signed_in: Page) -> None:
    say = """async (all) => {
        const { stretches } = await import('/static/timeline.js');
        return all.map((points) => stretches(points.map(([t, score]) => ({ t, score })), 0.65));
    }"""
    found = [[(run["start"], run["end"], run["peak"]) for run in runs] for runs in signed_in.evaluate(say, CASES)]
    assert found == [charts.stretches(moments, 0.65) for moments in CASES]


def test_each_person_has_a_row(signed_in: Page) -> None:
    draw = """async (verdict) => {
        const { timeline } = await import('/static/timeline.js');
        document.querySelector("main").replaceChildren(timeline(verdict));
    }"""
    signed_in.evaluate(draw, clip())
    first, second = signed_in.get_by_role("figure").all()
    expect(first).to_contain_text("Person 1: score 0.88, seen from 0.0 s to 6.0 s")
    expect(first).to_contain_text("Single faces score 0.65 or more (shaded): 3.0 s to 6.0 s (highest 0.90).")
    expect(first.locator(".shade")).to_have_count(1)
    expect(second).to_contain_text("No single face scores 0.65 or more")
    second.get_by_text("Show as table").click()
    expect(second.get_by_role("row")).to_have_count(4)
    old = clip(scale=None)
    for segment in old["segments"]:
        del segment["timeline"]
    signed_in.evaluate(draw, old)
    expect(signed_in.get_by_role("figure").first.locator(".dot")).to_have_count(2)
