"""The extension as it is installed: no warning, no access to any site. What it cannot see, the person chooses."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.extension.chromium import Chromium
from tests.e2e.extension.conftest import EXTENSION
from tests.e2e.extension.site import Site

pytestmark = pytest.mark.browser


@pytest.fixture
def panel(bare: Chromium) -> Page:
    """Nothing is connected: what is asked for ends where the server would be asked."""
    page = bare.page("panel/panel.html")
    bare.js(page, "chrome.storage.session.clear()")
    return page


@pytest.fixture
def strict(bare: Chromium, site: Site) -> Iterator[Page]:
    """Three media under a strict policy. Closed afterwards: the toolbar's click goes to a tab by its address."""
    page = bare.open(f"{site.url}/strict.html")
    yield page
    page.close()


def job(browser: Chromium, panel: Page, until: Callable[..., Any], condition: str) -> dict[str, Any]:
    all_jobs = "chrome.storage.session.get(null).then((all) => Object.values(all))"
    found: dict[str, Any] = until(browser, panel, f"{all_jobs}.then((all) => all.find((job) => {condition}))")
    return found


def test_installing_it_warns_of_nothing(bare: Chromium, panel: Page) -> None:
    manifest = json.dumps((EXTENSION / "manifest.json").read_text())
    ask = f"new Promise((done) => chrome.management.getPermissionWarningsByManifest({manifest}, done))"
    assert bare.js(panel, ask) == []


def test_after_the_installation_a_page_says_how_to_begin(bare: Chromium) -> None:
    first = next(page for page in bare.context.pages if page.url.endswith("options/options.html#first"))
    expect(first.get_by_role("heading", name="Unmask is installed")).to_be_visible()
    expect(first.get_by_text("Not connected.")).to_be_visible()


def test_what_the_browser_names_is_checked(bare: Chromium, panel: Page, site: Site, until: Callable[..., Any]) -> None:
    page = bare.open(f"{site.url}/clicks.html")
    bare.choose(page, "#img", srcUrl=f"{site.url}/plain.jpg", mediaType="image")
    found = job(bare, panel, until, "job.error")
    assert found["media"]["url"] == f"{site.url}/plain.jpg"
    assert found["error"]["code"] == "not_connected"


def test_where_no_extension_may_look_it_says_so(
    bare: Chromium, panel: Page, site: Site, until: Callable[..., Any]
) -> None:
    """A click that was dispatched grants nothing, as a click into a frame of another site grants nothing there."""
    bare.choose(bare.open(f"{site.url}/clicks.html"), "#css")
    assert job(bare, panel, until, "job.error")["error"]["code"] == "needs_access"
    problem = panel.locator(".problem")
    expect(problem.get_by_role("button", name="Grant access")).to_be_visible()
    expect(problem).to_contain_text("because it comes from another site")


@pytest.mark.parametrize(
    ("keys", "media"),
    [
        (["Enter"], "large.jpg"),
        (["Tab", "Enter"], "clip.mp4"),
        (["Tab", "ArrowRight", "Enter"], "small.jpg"),
        (["Shift+Tab", "Enter"], "small.jpg"),
    ],
    ids=["the largest", "the next", "round", "back"],
)
def test_media_are_chosen_by_keyboard(
    bare: Chromium, panel: Page, strict: Page, site: Site, until: Callable[..., Any], keys: list[str], media: str
) -> None:
    """Under a strict policy, too."""
    bare.press_toolbar(strict)
    assert job(bare, panel, until, "job.count")["count"] == 3
    strict.bring_to_front()
    for key in keys:
        strict.keyboard.press(key)
    found = job(bare, panel, until, "job.error")
    assert found["media"]["url"] == f"{site.url}/{media}"
    assert found["media"]["frameUrl"] == f"{site.url}/strict.html"


def test_the_picker_takes_clicks_and_lets_go(
    bare: Chromium, panel: Page, strict: Page, site: Site, until: Callable[..., Any]
) -> None:
    bare.press_toolbar(strict)
    job(bare, panel, until, "job.count")
    strict.bring_to_front()
    strict.locator("img").first.click(force=True)
    assert job(bare, panel, until, "job.error")["media"]["url"] == f"{site.url}/small.jpg"
    bare.press_toolbar(strict)
    job(bare, panel, until, "job.count")
    strict.keyboard.press("Escape")
    job(bare, panel, until, "job.state === 'idle'")
    assert strict.evaluate("document.documentElement.lastElementChild.localName") == "body"


def test_keys_and_clicks_that_a_page_makes_up_choose_nothing(
    bare: Chromium, panel: Page, strict: Page, until: Callable[..., Any]
) -> None:
    bare.press_toolbar(strict)
    job(bare, panel, until, "job.count")
    strict.evaluate("window.dispatchEvent(new KeyboardEvent('keydown', { key: 'Enter' }))")
    strict.evaluate("document.querySelector('img').click()")
    strict.keyboard.press("Escape")
    assert job(bare, panel, until, "job.state !== 'picking'")["state"] == "idle"


def test_a_page_without_media(bare: Chromium, panel: Page, site: Site, until: Callable[..., Any]) -> None:
    bare.press_toolbar(bare.open(f"{site.url}/empty.html"))
    assert job(bare, panel, until, "job.error")["error"]["code"] == "no_media_here"
