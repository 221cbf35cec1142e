"""`unmask user`: the people who may sign in."""

from __future__ import annotations

import secrets

import click

from server.cli.database import reading, writing
from server.store import people, rights
from server.store.db import iso

ACTOR = "command line"  # in the audit trail: whoever may run programs on the server
ROLES = click.Choice(rights.ROLES)


@click.group()
def user() -> None:
    """Add, list and change the people who may sign in.

    \b
    unmask user add ada --role moderator
    unmask user password ada
    """


@user.command()
@click.argument("name")
@click.option("--role", type=ROLES, default="viewer", show_default=True, help="What this person may do.")
def add(name: str, role: str) -> None:
    """Add a person and print their password, once."""
    password = secrets.token_urlsafe(12)
    with writing() as session:
        people.add_user(session, name, password, role)
        people.audit(session, ACTOR, "user.created", name, role=role)
    click.echo(password)


@user.command("list")
def list_users() -> None:
    """List everybody with their role."""
    with reading() as session:
        for person in people.users(session):
            state = "disabled" if person.disabled else "active"
            click.echo(f"{person.name}\t{person.role}\t{state}\t{iso(person.created_at)}")


@user.command()
@click.argument("name")
@click.argument("role", type=ROLES)
def role(name: str, role: str) -> None:
    """Give a person another role."""
    with writing() as session:
        people.set_role(session, name, role)
        people.audit(session, ACTOR, "user.role", name, role=role)


@user.command()
@click.argument("name")
def password(name: str) -> None:
    """Give a person a new password and print it, once. Their log-ins end."""
    fresh = secrets.token_urlsafe(12)
    with writing() as session:
        people.set_password(session, name, fresh)
        people.audit(session, ACTOR, "password.changed", name)
    click.echo(fresh)


@user.command()
@click.argument("name")
def disable(name: str) -> None:
    """Lock a person out: log-ins and tokens end at once."""
    with writing() as session:
        people.disable(session, name)
        people.audit(session, ACTOR, "user.disabled", name)


@user.command()
@click.argument("name")
def enable(name: str) -> None:
    """Let a person that was locked out in again. They need a new password (`unmask user password`) or token."""
    with writing() as session:
        people.enable(session, name)
        people.audit(session, ACTOR, "user.enabled", name)
