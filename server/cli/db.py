"""`unmask db`: the schema and copies of the data."""

from __future__ import annotations

import shutil
import sqlite3
import subprocess
from contextlib import closing
from pathlib import Path

import click
from sqlalchemy.engine import URL, make_url

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
    if not target.parent.is_dir():
        raise click.UsageError(f"There is no folder {target.parent}.")
    copy = _backup_sqlite if url.get_backend_name() == "sqlite" else _backup_postgresql
    try:
        copy(url, target)
    except (sqlite3.Error, subprocess.CalledProcessError) as error:
        target.unlink(missing_ok=True)
        raise click.ClickException(f"The copy failed, nothing was kept of it: {error}") from error
    click.echo(f"{target}: {target.stat().st_size:,} bytes")


def _backup_sqlite(url: URL, target: Path) -> None:
    source = Path(url.database or "")
    if not source.exists():
        raise click.UsageError(f"There is no database at {source} yet.")
    with closing(sqlite3.connect(source)) as live, closing(sqlite3.connect(target)) as copy:
        live.backup(copy)
        (verdict,) = copy.execute("PRAGMA integrity_check").fetchone()
    if verdict != "ok":
        raise sqlite3.DatabaseError(verdict)


def _backup_postgresql(url: URL, target: Path) -> None:
    program = shutil.which("pg_dump")
    if program is None:
        raise click.UsageError("pg_dump is needed: install PostgreSQL's client package.")
    # The password goes through the environment, not onto the command line that others can read.
    address = URL.create("postgresql", url.username, None, url.host, url.port, url.database, url.query)
    command = [program, "--format=custom", f"--file={target}", f"--dbname={address.render_as_string()}"]
    subprocess.run(command, env={"PGPASSWORD": url.password or ""}, check=True)
