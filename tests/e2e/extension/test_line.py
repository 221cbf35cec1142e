"""The whole line: a right-click in a browser, the real server, worker and detectors, a verdict in the panel."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.e2e.extension.chromium import Chromium
from tests.e2e.extension.site import Site
from tests.e2e.extension.talk import send
from tests.served import Served

pytestmark = pytest.mark.browser


def test_from_a_right_click_to_a_verdict_of_the_detectors(chromium: Chromium, site: Site, tmp_path: Path) -> None:
    with Served(tmp_path / "data", fetch_allow="127.0.0.0/8") as unmask:
        panel = chromium.page("panel/panel.html")
        code = unmask.run("token", "pair").strip()
        assert send(chromium, panel, type="pair", server=unmask.url, code=code) == {}
        chromium.choose(chromium.open(f"{site.url}/clicks.html"), "#css")
        verdict = panel.get_by_role("article", name="Verdict")
        expect(verdict).to_contain_text("Seen: 1 face of one person in a picture of 512 × 512 pixels.", timeout=60_000)
        expect(verdict.get_by_role("rowheader", name="blend")).to_be_visible()
        panel.get_by_label("Show where it looked").check()
        heatmap = verdict.locator(".heatmap").first
        expect(heatmap).to_be_visible()
        assert heatmap.evaluate("(image) => image.decode().then(() => image.naturalWidth)") > 0
        panel.get_by_text("Where it was seen").click()
        expect(verdict).to_contain_text("Downloaded by the server")
        report = panel.get_by_role("link", name="Open on the server").get_attribute("href")
        assert report is not None
        assert report.startswith(f"{unmask.url}/#verdict-")
