"""`unmask db`: the schema and copies of the data."""

from __future__ import annotations

import shutil
import sqlite3
import subprocess
from pathlib import Path

import click
from sqlalchemy.engine import make_url

from server.settings import Settings
from server.store.migrate import head
from server.store.migrate import upgrade as run_upgrade


@click.group()
def db() -> None:
    """Bring the database up to date, or copy it.

    \b
    unmask db upgrade
    unmask db backup /backups/unmask.db
    """


@db.command()
def upgrade() -> None:
    """Bring the database to the newest schema, from empty or from any earlier version."""
    run_upgrade(Settings.from_env().database)
    click.echo(f"The database is at version {head()}.")


@db.command()
@click.argument("target", type=click.Path(dir_okay=False, path_type=Path))
def backup(target: Path) -> None:
    """Copy the database to TARGET while the service runs."""
    url = make_url(Settings.from_env().database)
    if target.exists():
        raise click.UsageError(f"{target} exists already; name another file.")
    if url.get_backend_name() == "sqlite":
        _backup_sqlite(Path(url.database or ""), target)
    else:
        _backup_postgresql(url.set(drivername="postgresql").render_as_string(hide_password=False), target)
    click.echo(f"{target}: {target.stat().st_size:,} bytes")


def _backup_sqlite(source: Path, target: Path) -> None:
    if not source.exists():
        raise click.UsageError(f"There is no database at {source} yet.")
    with sqlite3.connect(source) as live, sqlite3.connect(target) as copy:
        live.backup(copy)
        (verdict,) = copy.execute("PRAGMA integrity_check").fetchone()
    if verdict != "ok":
        raise click.ClickException(f"The copy is damaged: {verdict}")


def _backup_postgresql(url: str, target: Path) -> None:
    program = shutil.which("pg_dump")
    if program is None:
        raise click.UsageError("pg_dump is needed: install PostgreSQL's client package.")
    # The password goes through the environment's connection string, not onto the command line others can read.
    subprocess.run([program, "--format=custom", f"--file={target}"], env={"PGDATABASE": url}, check=True)
