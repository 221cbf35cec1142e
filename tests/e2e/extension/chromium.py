"""Debian's Chromium with the extension. Headless it opens no native menu: the click on the entry is dispatched."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from playwright.sync_api import BrowserContext, Page, Playwright, Worker

from tests.e2e.conftest import FLAGS
from tests.need import program

_CLICKED = """async ([address, info]) => {
  const tabs = await chrome.tabs.query({});
  const tab = tabs.findLast(({ url, pendingUrl }) => (url || pendingUrl) === address) ?? tabs.at(-1);
  const all = { menuItemId: "check", editable: false, pageUrl: address, frameId: 0, ...info };
  if (all.frameUrl && !all.frameId) {
    const target = { tabId: tab.id, allFrames: true };
    const frames = await chrome.scripting.executeScript({ target, func: () => location.href });
    all.frameId = frames.find(({ result }) => result === all.frameUrl).frameId;
  }
  chrome.contextMenus.onClicked.dispatch(all, tab);
}"""


class Chromium:
    def __init__(self, playwright: Playwright, extension: Path, profile: Path) -> None:
        self.context: BrowserContext = playwright.chromium.launch_persistent_context(
            str(profile), executable_path=program("chromium"), headless=True, viewport={"width": 1000, "height": 800},
            args=[*FLAGS, f"--disable-extensions-except={extension}", f"--load-extension={extension}",
                  "--enable-unsafe-extension-debugging", "--autoplay-policy=no-user-gesture-required"],
        )  # fmt: skip
        self.context.set_default_timeout(15_000)
        self.base = self.worker.url.removesuffix("background/main.js")

    @property
    def worker(self) -> Worker:
        return (
            self.context.service_workers[0]
            if self.context.service_workers
            else self.context.wait_for_event("serviceworker")
        )

    def open(self, url: str) -> Page:
        page = self.context.new_page()
        page.goto(url)
        return page

    def page(self, path: str) -> Page:
        """A page of the extension, in a tab."""
        return self.open(self.base + path)

    def js(self, page: Page, expression: str) -> Any:
        return page.evaluate(f"async () => await ({expression})")

    def choose(self, page: Page, css: str, **info: Any) -> None:
        """A right-click on the middle of the element, and the entry chosen in the menu that opens."""
        page.bring_to_front()
        *frames, last = css.split(" >>> ")
        inside: Any = page
        for frame in frames:
            inside = inside.frame_locator(frame)
        inside.locator(last).click(button="right", force=True)
        self.worker.evaluate(_CLICKED, [page.url, info])

    def click(self, page: Page, css: str) -> None:
        page.bring_to_front()
        page.click(css)

    def press_toolbar(self, page: Page) -> None:
        """A real click on the toolbar button: it grants activeTab."""
        session = self.context.browser.new_browser_cdp_session()  # type: ignore[union-attr]
        found = session.send("Target.getTargets", {"filter": [{}]})["targetInfos"]
        target = next(one for one in found if one["type"] == "tab" and one["url"] == page.url)
        session.send("Extensions.triggerAction", {"id": self.base.split("/")[2], "targetId": target["targetId"]})
        session.detach()

    def stop_worker(self, page: Page) -> None:
        """As the browser does when the background was idle for a while."""
        session = self.context.new_cdp_session(page)
        session.send("ServiceWorker.enable")
        session.send("ServiceWorker.stopAllWorkers")
        session.detach()

    def close(self) -> None:
        self.context.close()
