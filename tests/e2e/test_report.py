"""A report in a real browser, made of a clip of one person: it needs nothing but itself."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from models.analyze import Analyzer
from models.catalogue import catalogue
from models.decode import DecodeLimits, decode, probe
from models.rates import measured
from server.report.page import render
from server.worker import judged
from tests.clips import make_clip
from tests.models.conftest import FLAGGING
from tests.server.report.verdicts import blinking

pytestmark = pytest.mark.browser
HOSTILE = "<img src=http://evil.example/x onerror=alert(1)>.mp4"


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """As `unmask check --report` writes it, with the models in this process; blinks are made up."""
    folder = tmp_path_factory.mktemp("report")
    limits = DecodeLimits(max_pixels=1_000_000, max_seconds=60)
    path = make_clip(folder / "clip.mp4", seconds=4, width=960, height=540)
    info = probe(path, limits)
    analyzer = Analyzer(FLAGGING, ["meso4"])
    analysis = analyzer.analyze(decode(path, limits, 20), info, expected=20)
    analyzer.close()
    pictures: dict[str, bytes] = {}

    def keep(kind: str, jpeg: bytes) -> str:
        address = f"{kind}-{len(pictures)}"
        pictures[address] = jpeg
        return address

    verdict = judged.body(
        analysis, info, thresholds=judged.thresholds(analyzer.calibration), pipeline="p1", sha256="ab" * 32,
        acquisition="upload", complete=True, segments=judged.segments(analysis, keep),
    )  # fmt: skip
    verdict["detectors"] += blinking()["detectors"]
    made = folder / "report.html"
    made.write_text(
        render(
            verdict, pictures.get, named=HOSTILE, made=datetime.now(UTC), catalogue=catalogue(),
            measured=measured(analyzer.calibration),
        ),
        encoding="utf-8",
    )  # fmt: skip
    return made


@pytest.fixture
def page(browser: Browser, report: Path) -> Iterator[Page]:
    """For who likes it dark. Whatever is asked for or complained of fails the test."""
    context = browser.new_context(viewport={"width": 1280, "height": 900}, color_scheme="dark")
    shown = context.new_page()
    heard: list[str] = []
    shown.on("console", lambda message: heard.append(message.text))
    shown.on("pageerror", lambda error: heard.append(str(error)))
    shown.on("request", lambda asked: heard.append(asked.url) if not asked.url.startswith(("data:", "file:")) else None)
    shown.on("dialog", lambda dialog: heard.append("a dialog"))
    shown.goto(report.as_uri())
    yield shown
    assert heard == []
    context.close()


def test_it_is_read_from_top_to_bottom(page: Page) -> None:
    expect(page.get_by_role("heading", level=1)).to_have_text(HOSTILE)
    verdict = page.get_by_role("article", name="Verdict")
    expect(verdict).to_contain_text("Manipulation likely")
    expect(verdict.get_by_role("img", name=re.compile(r"^\d+ in 100, between"))).to_be_visible()
    expect(page.get_by_role("img", name=re.compile("^Score over time"))).to_be_visible()
    expect(page.get_by_role("img", name=re.compile("^Eye opening over time"))).to_be_visible()
    headings = page.get_by_role("heading", level=2).all_text_contents()
    assert headings == [
        "Over time", "Highest-scoring frames", "Faces", "Methods", "Blinking", "Origin", "How sure is this?",
        "What was looked at",
    ]  # fmt: skip
    loaded = "[...document.images].filter((i) => i.checkVisibility()).every((i) => i.complete && i.naturalWidth > 0)"
    assert page.evaluate(loaded)
    assert page.locator(".chip use").evaluate("(use) => use.getBoundingClientRect().width") > 10, "its shape is drawn"


def test_pictures_are_veiled_and_heatmaps_shown_on_request(page: Page) -> None:
    face, heat = page.locator(".face .plain").first, page.locator(".face .heatmap").first
    expect(heat).to_be_hidden()
    page.get_by_label("Show where it looked").check()
    expect(heat).to_be_visible()
    expect(face).to_be_hidden()
    page.get_by_label("Blur pictures").focus()
    page.keyboard.press("Space")
    page.get_by_label("Without colour").check()
    expect(page.locator(".frames img").first).to_have_css("filter", "blur(12px) grayscale(1)")
    page.get_by_label("Blur pictures").uncheck()
    expect(page.locator(".frames img").first).to_have_css("filter", "blur(0px) grayscale(1)")


def test_the_box_is_around_the_face(page: Page) -> None:
    """The portrait's face is in the upper middle of each frame."""
    frame = page.locator(".boxed").first.bounding_box()
    box = page.locator(".boxes rect").first.bounding_box()
    assert frame is not None
    assert box is not None
    across, down = (box["x"] - frame["x"]) / frame["width"], (box["y"] - frame["y"]) / frame["height"]
    assert 0.3 < across < 0.6
    assert 0.05 < down < 0.25


def test_plots_are_read_with_the_keyboard_and_as_tables(page: Page) -> None:
    plot = page.locator(".plot").first
    plot.locator("svg").first.focus()
    page.keyboard.press("ArrowRight")
    expect(plot.locator(".readout")).to_have_text(re.compile(r"^0\.\d s: 0\.\d\d$"))
    page.keyboard.press("End")
    expect(plot.locator(".readout")).to_have_text(re.compile(r"^3\.\d s: 0\.\d\d$"))
    page.get_by_text("Show as table").first.click()
    expect(page.get_by_role("region", name="Score as a table").get_by_role("row")).not_to_have_count(0)


def test_cards_are_behind_a_click(page: Page) -> None:
    card = page.get_by_text("Whole clips").first
    expect(card).to_be_hidden()
    page.get_by_text("The card of Meso-4").click()
    expect(card).to_be_visible()


@pytest.mark.parametrize("width", [360, 1280, 3840])
def test_nothing_is_wider_than_the_window(page: Page, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 900})
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_paper_is_light_and_has_no_switches(page: Page) -> None:
    expect(page.locator("body")).to_have_css("background-color", "rgb(18, 22, 28)")
    page.emulate_media(media="print")
    page.set_viewport_size({"width": 720, "height": 1000})
    expect(page.locator("body")).to_have_css("background-color", "rgb(255, 255, 255)")
    expect(page.get_by_label("Blur pictures")).to_be_hidden()
    assert page.evaluate("document.documentElement.scrollWidth") <= 720
