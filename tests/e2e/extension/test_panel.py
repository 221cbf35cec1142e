"""The panel from the click to the verdict, the worker played by the test; and what it says when something fails."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import select

from server.store.tables import Check, CheckRequest, VerdictRow
from tests.e2e.extension.chromium import Chromium
from tests.e2e.extension.site import Site
from tests.e2e.extension.talk import API, send
from tests.server.web.conftest import World

pytestmark = pytest.mark.browser
ACCEPTED = "document.querySelector('.progress button')"  # a check that the server has can be withdrawn
TEXT = "document.querySelector('main').innerText"


@pytest.fixture
def panel(anybody: Any, server: str, world: World) -> Any:
    """The panel of a connected extension. It lies in a tab: headless browsers show no side panel."""
    return opened(anybody, server, world.token("viewer", "lookup", "check"))


def opened(browser: Any, server: str, token: str) -> Any:
    page = browser.page("panel/panel.html")
    browser.js(page, f"{API}.storage.session.clear()")
    assert send(browser, page, type="connect", server=server, token=token) == {}
    send(browser, page, type="forget")
    return page


def only_check(world: World, url: str) -> Check:
    with world.database.read() as session:
        return session.scalars(select(Check).where(Check.url == url)).one()


def test_from_the_click_to_the_verdict(
    anybody: Any, panel: Any, server: str, world: World, site: Site, until: Callable[..., Any]
) -> None:
    url = f"{site.url}/plain.jpg"
    page = anybody.open(f"{site.url}/clicks.html")
    anybody.choose(page, "#img", srcUrl=url, mediaType="image")
    now = "document.querySelector('.steps .now')?.textContent === '{}'"
    until(anybody, panel, now.format("Waiting for its turn"))
    until(anybody, panel, ACCEPTED)
    check = only_check(world, url)
    assert check.page_url == f"{site.url}/clicks.html"
    for state, words in (("fetching", "Fetching the media"), ("analyzing", "Looking at faces")):
        world.set_check(check.id, state=state, progress=0.4)
        until(anybody, panel, now.format(words))
    verdict_id = world.verdict(url)
    world.set_check(check.id, state="complete", verdict_id=verdict_id, dedupe=None)
    until(anybody, panel, f"{TEXT}.includes('Manipulation likely')")
    text = anybody.js(panel, TEXT)
    assert "Of material that scores like this, 91 in 100 was manipulated (82-96), where half the material is." in text
    assert "The methods disagree: meso4 0.95. A reviewer should look." in text
    assert url in text
    assert anybody.js(panel, "document.querySelector('.progress').hidden")
    until(anybody, panel, "document.querySelector('.face img').src.startsWith('data:image/jpeg;base64,/9j/')")
    shapes = anybody.js(panel, "document.querySelector('.chip use').getAttribute('href')")
    assert shapes == "/static/shapes.svg#manipulation_likely"
    links = anybody.js(panel, "[...document.querySelectorAll('.verdict a')].map((link) => link.href)")
    assert f"{server}/#verdict-{verdict_id}" in links
    assert all(link.startswith(f"{server}/") for link in links)
    past = send(anybody, panel, type="past")["value"]
    assert [(entry["label"], entry["url"]) for entry in past] == [("manipulation_likely", url)]


def test_what_is_known_is_there_at_once(
    anybody: Any, panel: Any, world: World, site: Site, until: Callable[..., Any]
) -> None:
    url = f"{site.url}/drawn.jpg"
    world.verdict(url, label="inconclusive")
    anybody.choose(anybody.open(f"{site.url}/clicks.html"), "#svg")
    until(anybody, panel, f"{TEXT}.includes('Inconclusive')")
    assert "known already" in anybody.js(panel, TEXT)


def test_a_moment_is_shown_in_the_page(
    chromium: Chromium, panel_of_chromium: Any, world: World, site: Site, until: Callable[..., Any]
) -> None:
    """Debian's Firefox brings no decoder for H.264."""
    panel, url = panel_of_chromium, f"{site.url}/clip.mp4"
    verdict_id = world.verdict(url)
    with world.database.write() as session:
        row = session.get_one(VerdictRow, verdict_id)
        row.body = {**row.body, "media": {**row.body["media"], "kind": "video", "duration": 3.0}}
        row.body["segments"][0]["timeline"] = [{"t": t, "score": 0.9 if t == 2 else 0.1} for t in (0, 1, 2, 2.5)]
    page = chromium.open(f"{site.url}/clicks.html")
    until(chromium, page, "document.querySelector('video').readyState > 0")
    chromium.choose(page, "#covered")
    button = (
        "[...document.querySelectorAll('.verdict button')].find((one) => one.innerText === 'Show 2.0 s in the page')"
    )
    until(chromium, panel, f"Boolean({button})")
    chromium.js(panel, f"{button}.click()")
    until(chromium, page, "document.querySelector('video').currentTime === 2")


def test_a_check_can_be_withdrawn(
    anybody: Any, panel: Any, world: World, site: Site, until: Callable[..., Any]
) -> None:
    url = f"{site.url}/back.jpg"
    anybody.choose(anybody.open(f"{site.url}/clicks.html"), "#css")
    until(anybody, panel, ACCEPTED)
    anybody.js(panel, "document.querySelector('.progress button').click()")
    until(anybody, panel, f"{TEXT}.includes('Check a picture or video')")
    until(anybody, panel, "document.querySelector('.progress').hidden")
    end = time.monotonic() + 10
    while only_check(world, url).state != "cancelled":
        assert time.monotonic() < end
        time.sleep(0.05)  # the panel does not wait for the server's answer


def failed(browser: Any, panel: Any, until: Callable[..., Any]) -> tuple[str, list[str], str]:
    """The sentence, the buttons and the code of the problem that is shown."""
    until(browser, panel, "document.querySelector('.problem')")
    problem = "document.querySelector('.problem')"
    return (
        browser.js(panel, f"{problem}.querySelector('p').innerText"),
        browser.js(panel, f"[...{problem}.querySelectorAll('button')].map((button) => button.innerText)"),
        browser.js(panel, f"{problem}.querySelector('code').innerText"),
    )


def test_what_the_server_says_of_a_failure_is_shown(
    anybody: Any, panel: Any, world: World, site: Site, until: Callable[..., Any]
) -> None:
    anybody.choose(anybody.open(f"{site.url}/clicks.html"), "#before")
    until(anybody, panel, ACCEPTED)
    error = {"code": "needs_browser", "message": "This site only serves browsers.", "details": {}}
    world.set_check(only_check(world, f"{site.url}/before.jpg").id, state="failed", error=error, dedupe=None)
    assert failed(anybody, panel, until) == (
        "This site only serves browsers.",
        ["Send it from this browser"],
        "needs_browser",
    )


def test_what_the_server_cannot_fetch_is_sent_by_the_browser(
    anybody: Any, panel: Any, world: World, site: Site, until: Callable[..., Any]
) -> None:
    anybody.choose(anybody.open(f"{site.url}/clicks.html"), "#open")
    until(anybody, panel, ACCEPTED)
    error = {"code": "needs_browser", "message": "This site only serves browsers.", "details": {}}
    world.set_check(only_check(world, f"{site.url}/open.jpg").id, state="failed", error=error, dedupe=None)
    until(anybody, panel, "document.querySelector('.problem')")
    assert "Then this browser fetches the file" in anybody.js(panel, TEXT)
    anybody.click(panel, ".problem button")
    until(anybody, panel, ACCEPTED)
    check, claimed = uploaded(world)
    assert (check.source, check.acquisition, claimed) == ("file", "background", f"{site.url}/open.jpg")
    assert check.sha256 == hashlib.sha256(site.content("open.jpg") or b"").hexdigest()


def test_what_only_the_page_holds_is_sent_from_there(
    anybody: Any, panel: Any, world: World, site: Site, until: Callable[..., Any]
) -> None:
    page = anybody.open(f"{site.url}/held.html")
    until(anybody, page, "document.getElementById('held').naturalWidth > 0")
    anybody.choose(page, "#held", srcUrl="blob:http://127.0.0.1/x", mediaType="image")
    assert failed(anybody, panel, until)[2] == "only_here"
    anybody.click(panel, ".problem button")
    until(anybody, panel, ACCEPTED)
    check, claimed = uploaded(world)
    assert (check.acquisition, claimed) == ("background", f"{site.url}/held.html")
    assert check.sha256 == hashlib.sha256(site.content("held.jpg") or b"").hexdigest()


def uploaded(world: World) -> tuple[Check, str | None]:
    """The upload, and where it is said to come from."""
    with world.database.read() as session:
        found = select(Check, CheckRequest.claimed_url).join(CheckRequest, CheckRequest.check_id == Check.id)
        check, claimed = session.execute(found.where(Check.source == "file")).one()
        return check, claimed


def test_a_token_that_was_revoked(
    chromium: Chromium, server: str, world: World, site: Site, until: Callable[..., Any]
) -> None:
    token = world.token("viewer", "lookup", "check")
    panel = opened(chromium, server, token)
    world.revoke(token)
    chromium.js(panel, "new Promise((done) => setTimeout(done, 2100))")  # the server knows a token for two seconds
    chromium.choose(chromium.open(f"{site.url}/clicks.html"), "#img", srcUrl=f"{site.url}/plain.jpg")
    sentence, buttons, code = failed(chromium, panel, until)
    assert "its token is unknown or revoked" in sentence
    assert (buttons, code.split(" · ")[0]) == (["Open the options"], "unauthorized")


def test_a_server_that_is_away(
    chromium: Chromium, panel_of_chromium: Any, site: Site, until: Callable[..., Any]
) -> None:
    """A new check fails, and can be asked for again."""
    panel = panel_of_chromium
    chromium.js(panel, f"{API}.storage.local.set({{ server: 'http://127.0.0.1:9' }})")
    chromium.choose(chromium.open(f"{site.url}/clicks.html"), "#img", srcUrl=f"{site.url}/plain.jpg")
    sentence, buttons, code = failed(chromium, panel, until)
    assert sentence.startswith("The server at http://127.0.0.1:9 cannot be reached. Nothing was lost.")
    assert (buttons, code) == (["Try again", "Open the options"], "offline")


def test_a_server_that_goes_away_in_the_middle(
    chromium: Chromium, panel_of_chromium: Any, server: str, world: World, site: Site, until: Callable[..., Any]
) -> None:
    """The check goes on when it is back: nothing is given up."""
    panel, url = panel_of_chromium, f"{site.url}/drawn.jpg"
    chromium.choose(chromium.open(f"{site.url}/clicks.html"), "#svg")
    until(chromium, panel, ACCEPTED)
    chromium.js(panel, f"{API}.storage.local.set({{ server: 'http://127.0.0.1:9' }})")
    assert failed(chromium, panel, until)[1] == []
    assert not chromium.js(panel, "document.querySelector('.progress').hidden")
    world.set_check(only_check(world, url).id, state="complete", verdict_id=world.verdict(url), dedupe=None)
    chromium.js(panel, f"{API}.storage.local.set({{ server: '{server}' }})")
    until(chromium, panel, f"{TEXT}.includes('Manipulation likely')")


def test_the_background_may_die_at_any_time(
    chromium: Chromium, panel_of_chromium: Any, world: World, site: Site, until: Callable[..., Any]
) -> None:
    panel, url = panel_of_chromium, f"{site.url}/drawn.jpg"
    chromium.choose(chromium.open(f"{site.url}/clicks.html"), "#svg")
    until(chromium, panel, ACCEPTED)
    chromium.stop_worker(panel)
    world.set_check(only_check(world, url).id, state="complete", verdict_id=world.verdict(url), dedupe=None)
    until(chromium, panel, f"{TEXT}.includes('Manipulation likely')")


def test_a_page_of_the_web_reaches_nothing(
    anybody: Any, panel: Any, site: Site, world: World, until: Callable[..., Any]
) -> None:
    """Neither by messages nor by keys that it makes up."""
    page = anybody.open(f"{site.url}/clicks.html")
    assert anybody.js(page, "typeof (globalThis.browser ?? globalThis.chrome)?.runtime?.sendMessage") == "undefined"
    assert anybody.js(page, "typeof globalThis.unmask") == "undefined"
    window_id = anybody.js(panel, f"{API}.windows.getCurrent().then(({{ id }}) => id)")
    send(anybody, panel, type="pick", windowId=window_id)
    until(anybody, panel, "document.querySelector('.done')")
    anybody.js(page, "window.dispatchEvent(new KeyboardEvent('keydown', { key: 'Enter', bubbles: true }))")
    anybody.js(page, "new Promise((done) => setTimeout(done, 300))")
    with world.database.read() as session:
        assert session.scalars(select(Check)).all() == []


@pytest.fixture
def panel_of_chromium(chromium: Chromium, server: str, world: World) -> Any:
    return opened(chromium, server, world.token("viewer", "lookup", "check"))
