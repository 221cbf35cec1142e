"""What the first start says: how the administrator gets in, once."""

from __future__ import annotations

import os
import secrets
import shlex
import shutil
import sys

from server.settings import Settings
from server.store import people
from server.store.db import Database

LINK_HOURS = 24.0
ADMINISTRATOR = "admin"


def first_start(database: Database, settings: Settings) -> str:
    """Creates the administrator when there is nobody yet; later starts say the address only."""
    with database.write() as session:
        if people.anybody(session):
            return f"Unmask runs at {settings.address}"
        password = secrets.token_urlsafe(12)
        admin = people.add_user(session, ADMINISTRATOR, password, "admin", once=True)
        link = people.create_login_link(session, admin, LINK_HOURS)
        people.audit(session, None, "user.created", ADMINISTRATOR, role="admin", why="first start")
    return _text(settings.address, link, password, _with_settings(settings))


def _with_settings(settings: Settings) -> str:
    """The command with what it needs to find the same data from another terminal."""
    if settings.data_dir == Settings.model_fields["data_dir"].default:
        return command()
    return f"UNMASK_DATA_DIR={shlex.quote(str(settings.data_dir.resolve()))} {command()}"


def _text(address: str, link: str, password: str, unmask: str) -> str:
    return f"""Unmask runs at {address}

This is the first start. Sign in as the administrator, once, with this link (it works for {LINK_HOURS:.0f} hours):
    {address}/login/link/{link}
or with the name `{ADMINISTRATOR}` and this password, which works once; you then choose your own:
    {password}
Make an API token for programs and for the browser extension:
    {unmask} token create --role viewer --scope lookup --scope check --expires 30d
None of this is shown again."""


def command() -> str:
    """How the reader calls the command line: by its name, or by the path it was just called by."""
    called = sys.argv[0]
    if shutil.which("unmask") or os.path.basename(called) != "unmask":  # noqa: PTH119 - the word, not a file
        return "unmask"
    return os.path.relpath(called)
