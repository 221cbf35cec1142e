from __future__ import annotations

import pytest
from flask.testing import FlaskClient

from server import extension
from server.settings import Settings
from tests.server.web.conftest import World


def test_anybody_gets_the_extension_and_is_told_how_to_install_it(client: FlaskClient, settings: Settings) -> None:
    page = client.get("/extension").text
    for words in ("chrome://extensions", "about:debugging", settings.address, extension.version()):
        assert words in page
    answer = client.get("/extension/unmask.zip")
    assert answer.data == extension.packed()
    assert answer.headers["Content-Disposition"] == f'attachment; filename="unmask-{extension.version()}.zip"'


def test_who_is_signed_in_is_led_to_a_code(client: FlaskClient, world: World) -> None:
    assert 'href="/account"' in client.get("/extension", headers=world.bearer()).text


def test_without_the_folder_it_is_said(client: FlaskClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(extension, "packed", lambda: None)
    for path in ("/extension", "/extension/unmask.zip"):
        answer = client.get(path, headers={"Accept": "text/html"})
        assert answer.status_code == 404
        assert "installed without the browser extension" in answer.text
