"""Connecting, choosing, clearing: the options as a person uses them."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from server.store import pairings, people
from tests.e2e.extension.chromium import Chromium
from tests.e2e.extension.talk import API, send
from tests.server.web.conftest import World

pytestmark = pytest.mark.browser


@pytest.fixture
def options(chromium: Chromium) -> Page:
    page = chromium.page("options/options.html")
    for message in (
        {"type": "disconnect"},
        {"type": "forget"},
        {"type": "prefer", "language": "auto", "history": True},
    ):
        send(chromium, page, **message)
    page.reload()
    expect(page.locator("#connection")).to_have_text("Not connected.")
    return page


def offered(world: World) -> str:
    with world.database.write() as session:
        people.add_user(session, "vera", None, "viewer")
        return pairings.offer(session, "vera", name="t", role="viewer", scopes=("lookup", "check"), now=world.clock())


def test_pairing_by_a_code(options: Page, server: str, world: World) -> None:
    code = offered(world)
    options.get_by_label("Address of the server").fill(f"{server}/")
    options.get_by_label("Pairing code").fill("AAAA-AAAA")
    options.keyboard.press("Enter")
    expect(options.locator(".problem")).to_contain_text("The server does not take this code.")
    expect(options.locator("#connection")).to_have_text("Not connected.")
    options.get_by_label("Pairing code").fill(code.lower())
    options.keyboard.press("Enter")
    expect(options.locator("#connection")).to_have_text(f"Connected to {server}.")
    expect(options.locator(".problem")).to_have_count(0)
    options.get_by_role("button", name="Disconnect").click()
    expect(options.locator("#connection")).to_have_text("Not connected.")


def test_a_firefox_is_paired_too(firefox: Any, server: str, world: World, until: Callable[..., Any]) -> None:
    """Its pages have another origin in each installation."""
    page = firefox.page("options/options.html")
    send(firefox, page, type="disconnect")
    assert send(firefox, page, type="pair", server=server, code=offered(world)) == {}
    assert send(firefox, page, type="about")["value"]["connected"] is True


def test_a_token_is_tested_before_it_is_kept(options: Page, server: str, world: World) -> None:
    options.get_by_label("Address of the server").fill(server)
    options.get_by_text("I have a token instead").click()
    for token, words in (("umk_wrong", "its token is unknown or revoked"), (world.token("viewer", "lookup"), None)):
        options.get_by_label("Token", exact=True).fill(token)
        options.get_by_role("button", name="Test and save").click()
        if words:
            expect(options.locator(".problem")).to_contain_text(words)
            expect(options.locator("#connection")).to_have_text("Not connected.")
    expect(options.locator("#connection")).to_have_text(f"Connected to {server}.")


@pytest.mark.parametrize(
    ("address", "words"),
    [
        ("ftp://127.0.0.1/", "This is no address of a server."),
        ("http://127.0.0.1:9", "The server at http://127.0.0.1:9 cannot be reached. Nothing was lost."),
        ("SITE", "is no Unmask server, or another version"),
    ],
)
def test_a_server_that_is_none(options: Page, elsewhere: int, address: str, words: str) -> None:
    options.get_by_label("Address of the server").fill(address.replace("SITE", f"http://127.0.0.1:{elsewhere}"))
    options.get_by_label("Pairing code").fill("AAAA-AAAA")
    options.keyboard.press("Enter")
    expect(options.locator(".problem")).to_contain_text(words)


def test_no_page_of_the_extension_is_told_the_token(
    chromium: Chromium, options: Page, server: str, world: World
) -> None:
    token = world.token("viewer", "lookup")
    assert send(chromium, options, type="connect", server=server, token=token) == {}
    told = [send(chromium, options, type="about"), chromium.js(options, f"{API}.storage.local.get(null)")]
    assert token not in str(told)
    assert server in str(told)


def test_the_language_is_chosen(chromium: Chromium, options: Page) -> None:
    options.get_by_label("Language").select_option("Deutsch")
    expect(options.get_by_role("heading", name="Einstellungen von Unmask")).to_be_visible()
    assert options.evaluate("document.documentElement.lang") == "de"
    panel = chromium.page("panel/panel.html")
    expect(panel.get_by_role("button", name="Auf dieser Seite auswählen")).to_be_visible()


def test_the_list_of_checks_is_kept_and_cleared(chromium: Chromium, options: Page) -> None:
    entry = {"id": "0" * 32, "label": "inconclusive", "server": "http://127.0.0.1:1", "url": "https://a.example/b.jpg",
             "at": "2026-11-21T10:00:00Z"}  # fmt: skip
    options.evaluate("(entry) => chrome.storage.local.set({ past: [entry] })", entry)
    options.reload()
    link = options.get_by_role("link", name="https://a.example/b.jpg")
    expect(link).to_have_attribute("href", f"http://127.0.0.1:1/#verdict-{'0' * 32}")
    expect(options.get_by_role("img", name="Inconclusive")).to_be_visible()
    options.get_by_role("button", name="Clear the list").click()
    expect(link).to_have_count(0)
    expect(options.get_by_text(re.compile("What you check appears here"))).to_be_visible()
