"""Stock Firefox over WebDriver BiDi, which it speaks by itself: real right-clicks, the real menu."""

from __future__ import annotations

import base64
import contextlib
import itertools
import json
import os
import re
import shutil
import signal
import subprocess
import time
from pathlib import Path
from typing import Any

from websockets.sync.client import ClientConnection, connect

from tests.need import program

ADDON = "unmask@unmask.invalid"
_UUID = "d56a5b99-51b6-4e83-ab23-796216679614"
_PREFS: dict[str, Any] = {
    "remote.prefs.recommended": True,
    "browser.aboutwelcome.enabled": False,
    "termsofuse.bypassNotification": True,
    "datareporting.policy.dataSubmissionEnabled": False,
    "media.autoplay.default": 0,
    "media.autoplay.blocking_policy": 0,
    "extensions.webextOptionalPermissionPrompts": False,  # what is asked for is granted without a dialog
    "extensions.webextensions.uuids": json.dumps({ADDON: _UUID}),
}
_ENTRY = re.sub(r"[^A-Za-z0-9_-]", "_", ADDON) + "-menuitem"
_CHOOSE = """(() => {
  const menu = document.getElementById("contentAreaContextMenu");
  if (menu.state !== "open") return null;
  const entries = [...menu.querySelectorAll('[id^="ENTRY"]')].filter((entry) => !entry.hidden);
  const labels = entries.map((entry) => entry.label);
  if (entries[0]) menu.activateItem(entries[0]); else menu.hidePopup();
  return labels;
})()""".replace("ENTRY", _ENTRY)


class Firefox:
    base = f"moz-extension://{_UUID}/"

    def __init__(self, extension: Path, profile: Path) -> None:
        binary = program("firefox-esr", "firefox")
        profile.mkdir()
        prefs = [f"user_pref({json.dumps(name)}, {json.dumps(value)});\n" for name, value in _PREFS.items()]
        (profile / "user.js").write_text("".join(prefs))
        self._folder, self._ids = profile, itertools.count(1)
        self._said = profile / "log"
        with self._said.open("wb") as log:
            self._process = subprocess.Popen(
                [binary, "--no-remote", "--profile", str(profile), "--remote-debugging-port=0",
                 "--remote-allow-system-access", "--headless", "about:blank"],
                env={**os.environ, "HOME": str(profile)}, stdout=log, stderr=log, start_new_session=True,
            )  # fmt: skip
        self._open = contextlib.ExitStack()
        self._open.callback(self._end)
        try:
            self._socket: ClientConnection = self._open.enter_context(
                connect(self._address() + "/session", max_size=None)
            )
            always = {"unhandledPromptBehavior": {"default": "ignore"}}
            self.command("session.new", capabilities={"alwaysMatch": always})
            self.command("webExtension.install", extensionData={"type": "path", "path": str(extension)})
        except BaseException:
            self._open.close()
            raise

    def _address(self) -> str:
        end = time.monotonic() + 60
        while (found := re.search(r"WebDriver BiDi listening on (ws://\S+)", self._said.read_text())) is None:
            assert self._process.poll() is None, self._said.read_text()
            assert time.monotonic() < end, self._said.read_text()
            time.sleep(0.05)  # no event tells that it listens
        return found[1]

    def command(self, method: str, **params: Any) -> Any:
        number = next(self._ids)
        self._socket.send(json.dumps({"id": number, "method": method, "params": params}))
        while (answer := json.loads(self._socket.recv(timeout=60))).get("id") != number:
            pass
        if answer["type"] == "error":
            raise RuntimeError(f"{method}: {answer['error']}: {answer['message']}")
        return answer["result"]

    def open(self, url: str) -> str:
        context: str = self.command("browsingContext.create", type="tab")["context"]
        self.command("browsingContext.navigate", context=context, url=url, wait="complete")
        return context

    def page(self, path: str) -> str:
        """A page of the extension, in a tab."""
        return self.open(self.base + path)

    def js(self, context: str, expression: str) -> Any:
        result = self.command(
            "script.callFunction", functionDeclaration=f"async () => JSON.stringify((await ({expression})) ?? null)",
            target={"context": context}, awaitPromise=True, userActivation=True,
        )  # fmt: skip
        if result["type"] == "exception":
            raise RuntimeError(result["exceptionDetails"]["text"])
        return json.loads(result["result"]["value"])

    def click(self, context: str, css: str, button: int = 0) -> None:
        """A click as a hand makes it: what a script makes up lets no page ask for a permission.

        A page that draws itself anew takes the element away between finding it and clicking: it is found again.
        """
        end = time.monotonic() + 10
        while True:
            try:
                return self._click(context, css, button)
            except (RuntimeError, IndexError):
                if time.monotonic() > end:
                    raise
                time.sleep(0.05)

    def _click(self, context: str, css: str, button: int) -> None:
        nodes = self.command("browsingContext.locateNodes", context=context, locator={"type": "css", "value": css})
        place = {"type": "element", "element": {"sharedId": nodes["nodes"][0]["sharedId"]}}
        hand = [
            {"type": "pointerMove", "x": 0, "y": 0, "origin": place},
            {"type": "pointerDown", "button": button},
            {"type": "pointerUp", "button": button},
        ]
        source = {"type": "pointer", "id": "mouse", "actions": hand}
        self.command("input.performActions", context=context, actions=[source])

    def choose(self, context: str, css: str, **_: Any) -> None:
        """A right-click on the middle of the element, and the entry chosen in the menu that opens."""
        self.command("browsingContext.activate", context=context)
        *frames, last = css.split(" >>> ")
        for frame in frames:
            context = self._frame(context, frame)
        self.click(context, last, button=2)
        window = self.command("browsingContext.getTree", **{"moz:scope": "chrome"})["contexts"][0]["context"]
        end = time.monotonic() + 10
        while (labels := self.js(window, _CHOOSE)) is None:
            assert time.monotonic() < end, "no menu opened"
            time.sleep(0.05)  # the menu opens when the browser has drawn it
        assert labels == ["Check with Unmask"]

    def _frame(self, context: str, css: str) -> str:
        source = self.js(context, f"document.querySelector({json.dumps(css)}).src")
        children = self.command("browsingContext.getTree", root=context)["contexts"][0]["children"]
        return str(next(child["context"] for child in children if child["url"] == source))

    def screenshot(self, context: str) -> bytes:
        return base64.b64decode(self.command("browsingContext.captureScreenshot", context=context)["data"])

    def close(self) -> None:
        with contextlib.suppress(OSError, RuntimeError):
            self.command("browser.close")
        self._open.close()

    def _end(self) -> None:
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait(10)
        shutil.rmtree(self._folder, ignore_errors=True)
