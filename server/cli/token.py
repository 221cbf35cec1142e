"""`unmask token`: bearer tokens for programs."""

from __future__ import annotations

import re
from datetime import timedelta

import click

from server.cli.database import reading, writing
from server.cli.user import ACTOR, ROLES
from server.store import pairings, people
from server.store.db import iso, utc_now
from server.store.rights import SCOPES

_UNITS = {"h": timedelta(hours=1), "d": timedelta(days=1), "w": timedelta(weeks=1)}


class _Duration(click.ParamType[timedelta]):
    name = "duration"

    def convert(
        self, value: str | timedelta, param: click.Parameter | None, context: click.Context | None
    ) -> timedelta:
        if isinstance(value, timedelta):
            return value
        found = re.fullmatch(r"([1-9]\d{0,3})([hdw])", value)
        if found is None:
            self.fail(f"{value!r} is not a duration like 12h, 30d or 8w", param, context)
        return int(found[1]) * _UNITS[found[2]]


@click.group()
def token() -> None:
    """Create, list and revoke API tokens; pair a browser.

    \b
    TOKEN=$(unmask token create --scope lookup --expires 30d)
    curl -H "Authorization: Bearer $TOKEN" http://127.0.0.1:8000/api/v1/models
    """


@token.command()
@click.option("--name", default="command line", show_default=True, help="What it is for, shown in the list.")
@click.option("--user", "user_name", default="admin", show_default=True, help="Whom it acts for.")
@click.option("--role", type=ROLES, default="viewer", show_default=True, help="The most it may do.")
@click.option(
    "--scope", "scopes", type=click.Choice(SCOPES), multiple=True, default=("lookup", "check"),
    show_default=True, help="What it may be used for; give it several times for several.",
)  # fmt: skip
@click.option("--expires", type=_Duration(), help="How long it is good for: 12h, 30d, 8w. Default: until revoked.")
def create(name: str, user_name: str, role: str, scopes: tuple[str, ...], expires: timedelta | None) -> None:
    """Print a new token, alone, on standard output. It is shown this once."""
    with writing() as session:
        secret = people.create_token(
            session,
            user_name,
            name=name,
            role=role,
            scopes=scopes,
            expires_at=utc_now() + expires if expires else None,
        )
        people.audit(session, ACTOR, "token.created", user_name, name=name, role=role, scopes=list(scopes))
    click.echo(secret)


@token.command()
@click.option("--name", default="browser", show_default=True, help="Which browser it is for, shown in the list.")
@click.option("--user", "user_name", default="admin", show_default=True, help="Whom it acts for.")
@click.option("--role", type=ROLES, default="viewer", show_default=True, help="The most it may do.")
@click.option("--expires", type=_Duration(), help="How long its token is good for: 12h, 30d. Default: until revoked.")
def pair(name: str, user_name: str, role: str, expires: timedelta | None) -> None:
    """Print a code for the options of the browser extension. It is good for ten minutes and one browser."""
    now = utc_now()
    with writing() as session:
        code = pairings.offer(
            session, user_name, name=name, role=role, scopes=("lookup", "check"),
            token_ends=now + expires if expires else None, now=now,
        )  # fmt: skip
        people.audit(session, ACTOR, "pairing.offered", user_name, name=name, role=role)
    click.echo(code)


@token.command("list")
def list_tokens() -> None:
    """List tokens: id, name, person, role, scopes, expiry, last use."""
    with reading() as session:
        for row, person in people.tokens(session):
            state = "revoked" if row.revoked_at else iso(row.expires_at) or "no expiry"
            used = iso(row.last_used_at) or "never used"
            click.echo("\t".join([row.id, row.name, person, row.role, ",".join(row.scopes), state, used]))


@token.command()
@click.argument("token_id")
def revoke(token_id: str) -> None:
    """Make a token useless, at once."""
    with writing() as session:
        people.revoke_token(session, token_id)
        people.audit(session, ACTOR, "token.revoked", token_id)
