"""Who may do what: the effective right is role and scope together."""

from __future__ import annotations

from dataclasses import dataclass

ROLES = ("viewer", "moderator", "manager", "admin")  # each may do what those before it may
SCOPES = ("lookup", "check", "moderate", "admin")
_ROLE_FOR = {"lookup": "viewer", "check": "viewer", "moderate": "moderator", "admin": "admin"}


@dataclass(frozen=True)
class Caller:
    """Who is asking, and what the token or log-in they came with lets them do."""

    user_id: str
    name: str
    role: str
    scopes: frozenset[str]
    token_id: str | None = None
    session_id: str | None = None

    def may(self, scope: str) -> bool:
        """The effective right is role and scope together."""
        return scope in self.scopes and at_least(self.role, _ROLE_FOR[scope])


def at_least(role: str, wanted: str) -> bool:
    return role in ROLES and ROLES.index(role) >= ROLES.index(wanted)


def lower(role: str, other: str) -> str:
    return min(role, other, key=ROLES.index)
