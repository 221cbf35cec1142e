"""Where people get the browser extension, and how they install it. Open to everybody: it holds no secret."""

from __future__ import annotations

from typing import Any

from flask import Response, render_template

from server import extension
from server.errors import NotFound
from server.web.api.blueprint import resource
from server.web.auth import identify, needs
from server.web.services import services

_HTML: dict[Any, Any] = {200: {"content": {"text/html": {"schema": {"type": "string"}}}}}
_ZIP: dict[Any, Any] = {200: {"content": {"application/zip": {"schema": {"type": "string", "format": "binary"}}}}}
api = resource("extension", "The browser extension", prefix=None, errors={})


@api.get("/extension", responses=_HTML)
@needs("open")
def page() -> str:
    """The browser extension: how to install and connect it"""
    _package()
    return render_template(
        "extension.html", person=identify(), version=extension.version(), address=services().settings.address
    )


@api.get("/extension/unmask.zip", responses=_ZIP)
@needs("open")
def package() -> Response:
    """The browser extension, packed"""
    response = Response(_package(), mimetype="application/zip")
    response.headers["Content-Disposition"] = f'attachment; filename="unmask-{extension.version()}.zip"'
    return response


def _package() -> bytes:
    found = extension.packed()
    if found is None:
        raise NotFound("This server was installed without the browser extension. Ask its operator for the folder.")
    return found
