"""`unmask models`: the detectors and what they need."""

from __future__ import annotations

import json

import click


@click.group()
def models() -> None:
    """List the detectors and what they need.

    \b
    unmask models list
    """


@models.command("list")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a detector.")
def list_models(as_json: bool) -> None:
    """List every detector: installed or what to do, version, licence."""
    from models.catalogue import catalogue

    for entry in catalogue():
        if as_json:
            click.echo(json.dumps(entry))
        else:
            click.echo(f"{entry['name']:<16}{entry['version'] or '-':<10}{entry['title']}: {entry['status']}")
