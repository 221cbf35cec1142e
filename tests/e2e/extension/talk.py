"""What a page of the extension asks the background, the same in both browsers."""

from __future__ import annotations

import json
from typing import Any

API = "(globalThis.browser ?? chrome)"


def send(browser: Any, page: Any, **message: Any) -> dict[str, Any]:
    """{"value": ...} or {"error": ...}; without either where there is nothing to tell."""
    answer: dict[str, Any] = browser.js(page, f"{API}.runtime.sendMessage({json.dumps(message)})")
    return answer
