"""Pairing: a short code, shown to a person once, that a browser changes into a token of its own.

The code is short because people type it, so it is good for ten minutes and for one browser, and wrong ones count: a
guess cannot say which code it means, so each counts against every code that is open, and after five they are void.
With 40 random bits, five tries find one of a thousand open codes once in 200 million times.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import delete, update
from sqlalchemy.orm import Session

from server.errors import BadRequest
from server.store import people
from server.store.rights import at_least
from server.store.tables import Pairing, User

MINUTES = 10
TRIES = 5
_LETTERS = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"  # 32, none that is taken for another
_LENGTH = 8


@dataclass(frozen=True)
class Paired:
    """What the browser gets. The secret is never shown again."""

    secret: str
    user: str
    role: str
    scopes: tuple[str, ...]
    expires_at: datetime | None


def offer(
    session: Session,
    user_name: str,
    *,
    name: str,
    role: str,
    scopes: Sequence[str],
    token_ends: datetime | None = None,
    now: datetime,
) -> str:
    """A code, in two halves so that it is read easily."""
    user = people.get_user(session, user_name)
    if not at_least(user.role, role):
        raise BadRequest(f"A browser of {user.name} can have the role {user.role} at the most.")
    remove_ended(session, now)
    code = "".join(secrets.choice(_LETTERS) for _ in range(_LENGTH))
    session.add(
        Pairing(
            user_id=user.id, name=name[:80], code_hash=people.hash_secret(code), role=role, scopes=sorted(set(scopes)),
            token_ends=token_ends, created_at=now, expires_at=now + timedelta(minutes=MINUTES),
        )
    )  # fmt: skip
    session.flush()
    return f"{code[:4]}-{code[4:]}"


def redeem(session: Session, code: str, now: datetime) -> Paired | None:
    """None for a code that opens nothing; the caller commits all the same, or the try would not count."""
    opened = (Pairing.expires_at > now, Pairing.tries < TRIES)
    taken = delete(Pairing).where(Pairing.code_hash == people.hash_secret(plain(code)), *opened)
    found = session.execute(
        taken.returning(Pairing.user_id, Pairing.name, Pairing.role, Pairing.scopes, Pairing.token_ends)
    ).one_or_none()
    if found is None:
        session.execute(update(Pairing).where(*opened).values(tries=Pairing.tries + 1))
        return None
    user = session.get_one(User, found.user_id)
    if user.disabled:
        return None
    secret = people.create_token(
        session, user.name, name=found.name, role=found.role, scopes=found.scopes, expires_at=found.token_ends
    )
    return Paired(secret, user.name, found.role, tuple(found.scopes), found.token_ends)


def plain(code: str) -> str:
    """As it was made: people type it in small letters, with spaces or without the dash."""
    return "".join(letter for letter in code.upper() if letter in _LETTERS)


def remove_ended(session: Session, now: datetime) -> None:
    session.execute(delete(Pairing).where((Pairing.expires_at <= now) | (Pairing.tries >= TRIES)))
