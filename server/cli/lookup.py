"""`unmask lookup`: what the local database knows of an address or a hash."""

from __future__ import annotations

import json
import re

import click

from server import identity
from server.cli.database import reading
from server.settings import Settings
from server.store import verdicts


@click.command()
@click.argument("what", metavar="URL|SHA256")
def lookup(what: str) -> None:
    """Print the verdict on an address or a hash as JSON.

    \b
    unmask lookup https://example.org/clip.mp4
    unmask lookup $(sha256sum clip.mp4 | cut -d' ' -f1)

    Exit status: 0 known, 1 unknown. Nothing is fetched.
    """
    from server.cli.installed import pipeline

    settings = Settings.from_env()
    with reading(settings) as session:
        if re.fullmatch(r"[0-9a-fA-F]{64}", what):
            known = verdicts.by_hash(session, what.lower())
        else:
            known = verdicts.by_url(session, identity.keys(what).canonical)
        if known is None:
            raise click.ClickException("Nothing is known of it. Ask for a check first.")
        shown = verdicts.present(known, pipeline=pipeline(settings))
    click.echo(json.dumps(shown, indent=2, ensure_ascii=False))
