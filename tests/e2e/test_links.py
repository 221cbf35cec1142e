"""What people pass on: a verdict by its address."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from tests.server.web.conftest import World

pytestmark = pytest.mark.browser


def test_a_verdict_has_an_address(signed_in: Page, server: str, world: World) -> None:
    signed_in.goto(f"{server}/#verdict-{world.verdict()}")
    expect(signed_in.get_by_role("article", name="Verdict")).to_contain_text("Manipulation likely")
    signed_in.goto(f"{server}/#verdict-{'0' * 32}")
    expect(signed_in.get_by_text("not_found")).to_be_visible()
