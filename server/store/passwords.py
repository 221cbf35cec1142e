"""Passwords are chosen by people, not by chance: they get argon2id."""

from __future__ import annotations

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from server.errors import BadRequest

MIN_PASSWORD = 10

# OWASP's smaller argon2id profile: a log-in costs the web process 19 MiB for about 20 ms.
_hasher = PasswordHasher(time_cost=2, memory_cost=19_456, parallelism=1)
# Verified when there is no such user, so that names cannot be told apart by the time an answer takes.
NOBODY = "$argon2id$v=19$m=19456,t=2,p=1$U0H5doIHLXggXQIrQDi1NA$iS85+UR6FjUexTktFqGOcGTwY6Hj6XNuGBpRifJc5YI"


def hashed(password: str) -> str:
    if len(password) < MIN_PASSWORD:
        raise BadRequest(f"A password has at least {MIN_PASSWORD} characters.")
    return _hasher.hash(password)


def matches(stored: str, password: str) -> bool:
    try:
        return _hasher.verify(stored, password)
    except (VerificationError, InvalidHashError):
        return False


def is_weak(stored: str) -> bool:
    """Made with an older, cheaper setting: to be hashed anew while the password is at hand."""
    return _hasher.check_needs_rehash(stored)
