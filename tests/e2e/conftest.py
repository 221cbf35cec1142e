"""A real browser, the application on a port of its own, and a page of another origin."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Playwright, sync_playwright
from werkzeug.serving import WSGIRequestHandler, make_server

from server.settings import Settings
from server.store import people
from server.store.db import Database
from server.store.evidence import EvidenceStore
from tests.need import program
from tests.served import free_port
from tests.server.web.conftest import Clock, World, build

FLAGS = [
    "--no-sandbox",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--no-default-browser-check",
    "--host-resolver-rules=MAP evil.example 127.0.0.1, MAP * ~NOTFOUND, EXCLUDE localhost, EXCLUDE 127.0.0.1",
]


class _Quiet(WSGIRequestHandler):
    protocol_version = "HTTP/1.1"

    def log(self, *_: Any) -> None:
        """The application has its own log."""


class _Page(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.end_headers()
        self.wfile.write(b"<!doctype html><title>another origin</title><body>hello")

    def log_message(self, *_: Any) -> None:
        """Nothing to say."""


@contextmanager
def running(server: Any) -> Iterator[Any]:
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
        thread.join(5)


@pytest.fixture(scope="session")
def playwright() -> Iterator[Playwright]:
    """One for all: a second one in the same thread is refused."""
    with sync_playwright() as made:
        yield made


@pytest.fixture(scope="session")
def browser(playwright: Playwright) -> Iterator[Browser]:
    made = playwright.chromium.launch(executable_path=program("chromium"), headless=True, args=FLAGS)
    yield made
    made.close()


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    made = browser.new_context(viewport={"width": 1280, "height": 900})
    made.set_default_timeout(15_000)
    yield made
    made.close()


@pytest.fixture
def page(context: BrowserContext) -> Page:
    return context.new_page()


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(data_dir=tmp_path / "data", port=free_port())


@pytest.fixture
def world(settings: Settings, database: Database) -> World:
    return World(settings, database, EvidenceStore(settings.evidence), Clock())


@pytest.fixture
def server(settings: Settings, database: Database, world: World) -> Iterator[str]:
    """The address of a default server: settings as they come, but for the port."""
    app = build(settings, database, world.clock)
    with running(make_server("127.0.0.1", settings.port, app, threaded=True, request_handler=_Quiet)):
        yield settings.address


@pytest.fixture
def elsewhere() -> Iterator[int]:
    """The port of another server on this machine: as 127.0.0.1 another origin, as localhost another site too."""
    with running(ThreadingHTTPServer(("127.0.0.1", 0), _Page)) as other:
        yield other.server_address[1]


@pytest.fixture
def signed_in(page: Page, server: str, world: World) -> Page:
    """A browser in which the administrator is signed in."""
    with world.database.write() as session:
        user = people.add_user(session, "ada", "a good long password", "admin")
        secret = people.create_login_link(session, user, now=world.clock())
    page.goto(f"{server}/login/link/{secret}")
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url(f"{server}/")
    return page
