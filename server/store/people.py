"""People and how they prove who they are: users, log-ins, bearer tokens, one-time links, the audit trail.

A secret is shown once and stored as its sha256: 256 random bits need no slow hash. Passwords are not random, so they
get argon2id. Nothing here commits: it happens in the caller's `database.write()`.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Row, delete, or_, select, update
from sqlalchemy.orm import Session

from server.errors import BadRequest, NotFound, TokenExpired, Unauthorized
from server.store import passwords
from server.store.db import utc_now
from server.store.rights import ROLES, SCOPES, Caller, at_least, lower
from server.store.tables import AuditEvent, LoginSession, Token, User

_SPENT = "spent"  # a one-time password that was used; no argon2 hash is spelled so
_ONCE = "once:"


def hash_secret(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()


# users


def add_user(session: Session, name: str, password: str | None, role: str, *, once: bool = False) -> User:
    """Without a password only one-time links let the person in. `once`: the password works for one log-in."""
    _known("role", role, ROLES)
    name = name.strip()
    if not 1 <= len(name) <= 80:
        raise BadRequest("A user name has 1 to 80 characters.")
    if find_user(session, name) is not None:
        raise BadRequest(f"There already is a user called {name}.")
    user = User(name=name, role=role, password_hash=_SPENT if password is None else _hash(password, once=once))
    session.add(user)
    session.flush()
    return user


def find_user(session: Session, name: str) -> User | None:
    return session.scalar(select(User).where(User.name == name.strip()))


def get_user(session: Session, name: str) -> User:
    user = find_user(session, name)
    if user is None:
        raise NotFound(f"There is no user called {name}.")
    return user


def users(session: Session) -> Sequence[User]:
    return session.scalars(select(User).order_by(User.name)).all()


def anybody(session: Session) -> bool:
    return session.scalar(select(User.id).limit(1)) is not None


def set_role(session: Session, name: str, role: str) -> None:
    user = get_user(session, name)
    if _known("role", role, ROLES) != "admin":
        _keep_an_administrator(session, user)
    user.role = role


def set_password(session: Session, name: str, password: str, *, once: bool = False, keep: str | None = None) -> None:
    """A new password is for getting somebody else out, too: log-ins (but the one kept) and one-time links end."""
    user = get_user(session, name)
    user.password_hash = _hash(password, once=once)
    end_sessions(session, user.id, but=keep)
    unused = update(Token).where(Token.user_id == user.id, Token.purpose == "login", Token.revoked_at.is_(None))
    session.execute(unused.values(revoked_at=utc_now()))


def disable(session: Session, name: str, now: datetime | None = None) -> None:
    """Nothing the person holds works any longer; their rows stay, so that the past still has a name."""
    user = get_user(session, name)
    _keep_an_administrator(session, user)
    user.disabled = True
    end_sessions(session, user.id, now)
    session.execute(
        update(Token).where(Token.user_id == user.id, Token.revoked_at.is_(None)).values(revoked_at=now or utc_now())
    )


def enable(session: Session, name: str) -> None:
    """The person may sign in again; log-ins and tokens that ended stay ended."""
    get_user(session, name).disabled = False


def _keep_an_administrator(session: Session, user: User) -> None:
    others = select(User.id).where(User.role == "admin", ~User.disabled, User.id != user.id)
    if user.role == "admin" and not user.disabled and session.scalar(others.limit(1)) is None:
        raise BadRequest(f"{user.name} is the only administrator. Make somebody else one first.")


def must_choose_password(user: User) -> bool:
    return user.password_hash == _SPENT or user.password_hash.startswith(_ONCE)


def check_password(session: Session, name: str, password: str) -> User | None:
    """The user, when the password is right. A one-time password is spent by this."""
    user = find_user(session, name)
    if user is None or user.disabled or user.password_hash == _SPENT:
        passwords.matches(passwords.NOBODY, password)
        return None
    if not passwords.matches(user.password_hash.removeprefix(_ONCE), password):
        return None
    if user.password_hash.startswith(_ONCE):
        return user if _spend(session, user) else None
    if passwords.is_weak(user.password_hash):
        user.password_hash = _hash(password, once=False)
    return user


def _spend(session: Session, user: User) -> bool:
    """One conditional update: of two log-ins at the same moment, one wins."""
    once = update(User).where(User.id == user.id, User.password_hash == user.password_hash)
    return session.scalar(once.values(password_hash=_SPENT).returning(User.id)) is not None


def _hash(password: str, *, once: bool) -> str:
    return (_ONCE if once else "") + passwords.hashed(password)


# log-ins of browsers


def open_session(session: Session, user: User, hours: float, now: datetime | None = None) -> str:
    """The secret for the cookie."""
    now = now or utc_now()
    secret = secrets.token_urlsafe(32)
    session.add(
        LoginSession(
            user_id=user.id, secret_hash=hash_secret(secret), created_at=now, expires_at=now + timedelta(hours=hours)
        )
    )
    session.flush()
    return secret


_BY_COOKIE = select(
    LoginSession.id, LoginSession.expires_at, LoginSession.revoked_at, User.id.label("user_id"), User.name,
    User.role, User.disabled,
).join(User, User.id == LoginSession.user_id)  # fmt: skip


def by_cookie(session: Session, secret: str, now: datetime | None = None) -> Caller | None:
    row = session.execute(_BY_COOKIE.where(LoginSession.secret_hash == hash_secret(secret))).one_or_none()
    if row is None or row.revoked_at is not None or row.disabled or row.expires_at <= (now or utc_now()):
        return None
    return Caller(row.user_id, row.name, row.role, frozenset(SCOPES), session_id=row.id)


def sessions(session: Session, user_id: str, now: datetime | None = None) -> Sequence[LoginSession]:
    live = (LoginSession.revoked_at.is_(None), LoginSession.expires_at > (now or utc_now()))
    return session.scalars(
        select(LoginSession).where(LoginSession.user_id == user_id, *live).order_by(LoginSession.created_at.desc())
    ).all()


def end_session(session: Session, session_id: str, now: datetime | None = None) -> None:
    session.execute(update(LoginSession).where(LoginSession.id == session_id).values(revoked_at=now or utc_now()))


def end_sessions(session: Session, user_id: str, now: datetime | None = None, *, but: str | None = None) -> None:
    live = update(LoginSession).where(LoginSession.user_id == user_id, LoginSession.revoked_at.is_(None))
    session.execute(live.where(LoginSession.id != (but or "")).values(revoked_at=now or utc_now()))


# bearer tokens


def create_token(
    session: Session,
    user_name: str,
    *,
    name: str,
    role: str,
    scopes: Sequence[str],
    expires_at: datetime | None = None,
) -> str:
    """The secret, which is never shown again. A token never outranks its owner."""
    user = get_user(session, user_name)
    if not at_least(user.role, _known("role", role, ROLES)):
        raise BadRequest(f"A token of {user.name} can have the role {user.role} at the most.")
    secret = "umk_" + secrets.token_urlsafe(32)
    token = Token(
        user_id=user.id, name=name[:80], purpose="api", secret_hash=hash_secret(secret), role=role,
        scopes=sorted({_known("scope", scope, SCOPES) for scope in scopes}), expires_at=expires_at,
    )  # fmt: skip
    session.add(token)
    session.flush()
    return secret


_BY_TOKEN = select(
    Token.id, Token.role, Token.scopes, Token.expires_at, Token.revoked_at, User.id.label("user_id"), User.name,
    User.role.label("user_role"), User.disabled,
).join(User, User.id == Token.user_id)  # fmt: skip


def by_token(session: Session, secret: str, now: datetime | None = None) -> Caller:
    found = _BY_TOKEN.where(Token.secret_hash == hash_secret(secret), Token.purpose == "api")
    row = session.execute(found).one_or_none()
    if row is None or row.revoked_at is not None or row.disabled:
        raise Unauthorized("This token is not known, or it was revoked.")
    if row.expires_at is not None and row.expires_at <= (now or utc_now()):
        raise TokenExpired
    return Caller(row.user_id, row.name, lower(row.role, row.user_role), frozenset(row.scopes), token_id=row.id)


def tokens(session: Session) -> Sequence[Row[Token, str]]:
    """Every token with its owner's name, in the order they were made."""
    named = select(Token, User.name).join(User, User.id == Token.user_id)
    return session.execute(named.where(Token.purpose == "api").order_by(Token.created_at, Token.id)).all()


def revoke_token(session: Session, token_id: str, now: datetime | None = None) -> None:
    live = update(Token).where(Token.id == token_id, Token.purpose == "api", Token.revoked_at.is_(None))
    if session.scalar(live.values(revoked_at=now or utc_now()).returning(Token.id)) is None:
        raise NotFound("There is no live token of that id.")


def note_use(session: Session, used: Mapping[str, datetime]) -> None:
    """Gathered in memory and written together: a look-up never pays for a write."""
    for token_id, moment in used.items():
        session.execute(update(Token).where(Token.id == token_id).values(last_used_at=moment))


# one-time links


def create_login_link(session: Session, user: User, hours: float = 1.0, now: datetime | None = None) -> str:
    """The secret that ends the link's address."""
    now = now or utc_now()
    secret = secrets.token_urlsafe(32)
    session.add(
        Token(
            user_id=user.id, name="login link", purpose="login", secret_hash=hash_secret(secret), role=user.role,
            scopes=[], created_at=now, expires_at=now + timedelta(hours=hours),
        )
    )  # fmt: skip
    session.flush()
    return secret


def use_login_link(session: Session, secret: str, now: datetime | None = None) -> User | None:
    """The user the link lets in, once."""
    now = now or utc_now()
    live = (Token.purpose == "login", Token.revoked_at.is_(None), Token.expires_at > now)
    spent = update(Token).where(Token.secret_hash == hash_secret(secret), *live).values(revoked_at=now)
    user_id = session.scalar(spent.returning(Token.user_id))
    user = session.get(User, user_id) if user_id is not None else None
    return None if user is None or user.disabled else user


def remove_ended(session: Session, now: datetime | None = None) -> int:
    """Log-ins and one-time links that let nobody in any more. Tokens stay: their list says what was revoked."""
    now = now or utc_now()
    past = delete(LoginSession).where(or_(LoginSession.expires_at <= now, LoginSession.revoked_at.is_not(None)))
    used = delete(Token).where(Token.purpose == "login", or_(Token.expires_at <= now, Token.revoked_at.is_not(None)))
    gone = [session.scalars(past.returning(LoginSession.id)).all(), session.scalars(used.returning(Token.id)).all()]
    return sum(map(len, gone))


# what people did


def audit(session: Session, actor: str | None, action: str, subject: str | None = None, **details: Any) -> None:
    session.add(AuditEvent(actor=actor, action=action, subject=subject, details=details))


def _known(what: str, value: str, choices: Sequence[str]) -> str:
    if value not in choices:
        raise BadRequest(f"There is no {what} {value!r}. Choose from: {', '.join(choices)}.")
    return value
