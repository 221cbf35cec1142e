"""Both browsers with the extension as it comes, and with the access to all sites that a person may grant it."""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Playwright

from tests.e2e.extension.chromium import Chromium
from tests.e2e.extension.firefox import Firefox
from tests.e2e.extension.site import Site, served
from tests.need import REPOSITORY

EXTENSION = REPOSITORY / "extension"
Anybody = Chromium | Firefox


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with served(tmp_path_factory.mktemp("site")) as made:
        yield made


@pytest.fixture(scope="session")
def granted(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy that has what a person would grant: permission dialogs never end headless."""
    copy = tmp_path_factory.mktemp("granted") / "extension"
    shutil.copytree(EXTENSION, copy)
    manifest = json.loads((copy / "manifest.json").read_text())
    manifest["host_permissions"] = manifest.pop("optional_host_permissions")
    (copy / "manifest.json").write_text(json.dumps(manifest))
    return copy


@pytest.fixture(scope="session")
def chromium(playwright: Playwright, granted: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chromium]:
    made = Chromium(playwright, granted, tmp_path_factory.mktemp("chromium"))
    yield made
    made.close()


@pytest.fixture(scope="session")
def firefox(granted: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Firefox]:
    made = Firefox(granted, tmp_path_factory.mktemp("firefox") / "profile")
    yield made
    made.close()


@pytest.fixture(params=["chromium", "firefox"])
def anybody(request: pytest.FixtureRequest) -> Any:
    """The same test in both."""
    return request.getfixturevalue(request.param)


@pytest.fixture(scope="session")
def bare(playwright: Playwright, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chromium]:
    """The extension as it is installed, without access to any site."""
    made = Chromium(playwright, EXTENSION, tmp_path_factory.mktemp("bare"))
    yield made
    made.close()


@pytest.fixture
def until() -> Callable[..., Any]:
    """until(browser, page, expression): what it gives once it is neither null nor false."""

    def wait(browser: Any, page: Any, expression: str, seconds: float = 15) -> Any:
        end = time.monotonic() + seconds
        while (found := browser.js(page, expression)) in (None, False, ""):
            assert time.monotonic() < end, f"{expression} stayed {found!r}"
            time.sleep(0.05)  # two browsers, one way to wait
        return found

    return wait
