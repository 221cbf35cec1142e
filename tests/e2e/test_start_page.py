"""The start page in a real browser, the worker played by the test."""

from __future__ import annotations

import re
from typing import Any

import pytest
from playwright.sync_api import ConsoleMessage, Page, expect
from sqlalchemy import select

from server.store.tables import Check
from tests.server.web.conftest import JPEG, World

pytestmark = pytest.mark.browser
URL = "https://example.org/a.jpg"


@pytest.fixture
def start(signed_in: Page) -> Page:
    """Whatever the browser complains of in its console fails the test."""
    complaints: list[str] = []

    def hear(message: ConsoleMessage) -> None:
        if message.type == "error" and "the server responded with a status of" not in message.text:
            complaints.append(message.text)

    signed_in.on("console", hear)
    signed_in.on("pageerror", lambda error: complaints.append(str(error)))
    signed_in.reload()
    signed_in.complaints = complaints  # type: ignore[attr-defined]
    return signed_in


def only_check(start: Page, world: World) -> Check:
    """Once the page follows it, the check is there."""
    expect(start.get_by_role("button", name="Withdraw")).to_be_visible()
    with world.database.read() as session:
        return session.scalars(select(Check)).one()


def quiet(page: Any) -> None:
    assert page.complaints == []


def test_from_an_address_to_the_verdict(start: Page, world: World) -> None:
    start.get_by_label("Address of a picture").fill(URL)
    start.keyboard.press("Enter")
    check = only_check(start, world)
    expect(start.locator(".steps .now")).to_have_text("Waiting for its turn")
    for state, words in (("fetching", "Fetching the media"), ("analyzing", "Looking at faces")):
        world.set_check(check.id, state=state, progress=0.4)
        expect(start.locator(".steps .now")).to_have_text(words)
    world.set_check(check.id, state="complete", verdict_id=world.verdict(URL), dedupe=None)
    verdict = start.get_by_role("article", name="Verdict")
    expect(verdict).to_contain_text("Manipulation likely")
    expect(verdict).to_contain_text(
        "Of material that scores like this, 91 in 100 was manipulated (82-96), where half the material is."
    )
    expect(verdict).to_contain_text("The methods disagree: meso4 0.95. A reviewer should look.")
    origin = verdict.locator("section", has=start.get_by_role("heading", name="Origin"))
    expect(origin).to_contain_text("Signed by Honest Paper with Painter, whom this service does not know")
    expect(origin).to_contain_text("The signer states: made with AI. The label does not rest on it.")
    expect(origin).to_contain_text("which anybody can write or remove: Midjourney (EXIF).")
    expect(verdict.get_by_role("img", name=re.compile("Face at score"))).to_have_attribute("src", re.compile("^blob:"))
    expect(start.get_by_role("list").last.get_by_role("img", name="Manipulation likely")).to_be_visible()
    start.reload()
    expect(start.get_by_role("article", name="Verdict")).to_contain_text("Manipulation likely")
    start.get_by_text("How sure is this?").click()
    expect(start.get_by_role("heading", name="meso4 1")).to_be_visible()
    expect(verdict).to_contain_text("Of the 2,060 genuine items it was calibrated on (held-out groups), 1.0 %")
    expect(start.get_by_text("# Card of meso4")).to_be_hidden()
    start.get_by_text("Its card").click()
    expect(start.get_by_text("# Card of meso4")).to_be_visible()
    quiet(start)


def test_a_verdict_in_detail(start: Page, world: World) -> None:
    world.verdict(URL)
    start.get_by_label("Address of a picture").fill(URL)
    start.keyboard.press("Enter")
    verdict = start.get_by_role("article", name="Verdict")
    row = verdict.get_by_role("row", name=re.compile("meso4"))
    cells = ["high", "0.95", "1.00", "+2.31", "31 ms", "asked for 20 frames"]
    expect(row.get_by_role("cell")).to_have_text(cells)
    expect(verdict).to_contain_text("Ticks: up to 10, manipulated material hardly ever scores so low; above 90,")
    verdict.get_by_role("button", name=re.compile("Face at")).click()
    frame = start.get_by_role("dialog").get_by_role("img", name="The whole frame")
    expect(frame).to_have_attribute("src", re.compile("^blob:"))
    place = """([frame, box]) => {
        const [whole, part] = [frame.getBoundingClientRect(), box.getBoundingClientRect()];
        return [(part.x - whole.x) / whole.width, (part.y - whole.y) / whole.height];
    }"""
    both = [frame.element_handle(), start.locator(".boxes rect").last.element_handle()]
    assert start.evaluate(place, both) == pytest.approx([10 / 640, 20 / 480], abs=0.02)
    quiet(start)


def test_maps_for_experts_are_fetched_when_they_are_asked_for(start: Page, world: World) -> None:
    world.verdict(URL)
    start.get_by_label("Address of a picture").fill(URL)
    start.keyboard.press("Enter")
    verdict = start.get_by_role("article", name="Verdict")
    expect(verdict).to_be_visible()
    assert verdict.locator(".maps img").count() == 0
    verdict.get_by_text("For experts").click()
    expect(verdict.get_by_role("img", name="Noise map of the picture")).to_have_attribute("src", re.compile("^blob:"))
    expect(verdict.get_by_text("How noisy each place is.")).to_be_visible()
    quiet(start)


def test_what_is_known_is_shown_at_once(start: Page, world: World) -> None:
    world.verdict(URL, label="no_evidence_found")
    start.get_by_label("Address of a picture").fill(URL)
    start.get_by_role("button", name="Check", exact=True).click()
    verdict = start.get_by_role("article", name="Verdict")
    expect(verdict).to_contain_text("No sign of manipulation found")
    expect(verdict).to_contain_text("known already")
    quiet(start)


def test_a_file_with_options(start: Page, world: World) -> None:
    start.get_by_text("Options", exact=True).click()
    start.get_by_label("Frames of a video").select_option("20")
    start.get_by_label("blend").uncheck()
    start.locator("#file").set_input_files({"name": "a.jpg", "mimeType": "image/jpeg", "buffer": JPEG})
    check = only_check(start, world)
    assert check.options == {"sequence_length": 20, "detectors": ["meso4"]}
    start.get_by_role("button", name="Withdraw").click()
    expect(start.get_by_role("region", name="Progress")).to_be_hidden()
    start.wait_for_function("() => !location.hash")
    with world.database.read() as session:
        assert session.get_one(Check, check.id).state == "cancelled"
    quiet(start)


@pytest.mark.parametrize(
    ("typed", "sentence", "code"),
    [
        ("nonsense", "This is not a web address.", "not_a_url"),
        ("ftp://example.org/a.jpg", "Only http:// and https:// addresses", "unsupported_scheme"),
        ("", "Type or paste an address", "empty"),
    ],
)
def test_a_mistake_is_said_with_a_code(start: Page, typed: str, sentence: str, code: str) -> None:
    start.get_by_label("Address of a picture").fill(typed)
    start.keyboard.press("Enter")
    alert = start.get_by_role("alert")
    expect(alert).to_contain_text(sentence)
    expect(alert.locator("code")).to_contain_text(code)


def test_a_file_that_is_no_picture(start: Page) -> None:
    start.locator("#file").set_input_files({"name": "a.mp4", "mimeType": "video/mp4", "buffer": b"only text"})
    expect(start.get_by_role("alert")).to_contain_text("not an image or video format")


def test_a_check_that_fails_says_why(start: Page, world: World) -> None:
    start.get_by_label("Address of a picture").fill(URL)
    start.keyboard.press("Enter")
    why = {"code": "dns_failed", "message": "No server of that name could be found.", "details": {}}
    world.set_check(only_check(start, world).id, state="failed", error=why, dedupe=None)
    expect(start.get_by_role("alert")).to_contain_text("No server of that name could be found.")


def test_an_old_verdict_is_shown_while_it_is_checked_again(start: Page, world: World) -> None:
    world.verdict(URL, pipeline="p0")
    start.get_by_label("Address of a picture").fill(URL)
    start.keyboard.press("Enter")
    expect(start.get_by_role("article", name="Verdict")).to_contain_text("checking again")
    expect(start.get_by_role("region", name="Progress")).to_be_visible()
    quiet(start)


@pytest.mark.parametrize("width", [360, 1440])
def test_nothing_is_wider_than_the_window(start: Page, server: str, world: World, width: int) -> None:
    start.set_viewport_size({"width": width, "height": 800})
    world.verdict(URL)
    start.get_by_label("Address of a picture").fill(URL)
    start.keyboard.press("Enter")
    expect(start.get_by_role("article", name="Verdict")).to_be_visible()
    for path in ("/", "/account", "/api/docs"):
        if path != "/":
            start.goto(server + path)
        assert start.evaluate("document.documentElement.scrollWidth") <= width
