"""The tables. `sha256` is the stable handle of media; a verdict's id is one immutable version of it."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import uuid4

from sqlalchemy import (
    JSON,
    BigInteger,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from server.store.db import UtcDateTime, utc_now


def new_id() -> str:
    return uuid4().hex


class Base(DeclarativeBase):
    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "fk": "fk_%(table_name)s_%(column_0_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    type_annotation_map = {  # noqa: RUF012 - SQLAlchemy's own way to say it
        datetime: UtcDateTime(),
        dict[str, Any]: JSON(none_as_null=True),
        list[str]: JSON(),
        bytes: LargeBinary(),
    }


class User(Base):
    __tablename__ = "users"
    id: Mapped[str] = mapped_column(String(32), primary_key=True, default=new_id)
    name: Mapped[str] = mapped_column(String(80), unique=True)
    password_hash: Mapped[str] = mapped_column(String(200))
    role: Mapped[str] = mapped_column(String(16))
    disabled: Mapped[bool] = mapped_column(default=False)
    created_at: Mapped[datetime] = mapped_column(default=utc_now)


class LoginSession(Base):
    """A log-in through a browser. The cookie holds the secret, the row its hash."""

    __tablename__ = "sessions"
    id: Mapped[str] = mapped_column(String(32), primary_key=True, default=new_id)
    user_id: Mapped[str] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), index=True)
    secret_hash: Mapped[str] = mapped_column(String(64), unique=True)
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
    expires_at: Mapped[datetime]
    revoked_at: Mapped[datetime | None]


class Token(Base):
    """A bearer token, or (`purpose` login) the one-time link that the first start prints."""

    __tablename__ = "tokens"
    id: Mapped[str] = mapped_column(String(32), primary_key=True, default=new_id)
    user_id: Mapped[str] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), index=True)
    name: Mapped[str] = mapped_column(String(80))
    purpose: Mapped[str] = mapped_column(String(8), default="api")
    secret_hash: Mapped[str] = mapped_column(String(64), unique=True)
    role: Mapped[str] = mapped_column(String(16))
    scopes: Mapped[list[str]]
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
    expires_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]
    last_used_at: Mapped[datetime | None]


class Pairing(Base):
    """A code that a browser changes into a token, once. The row is gone with that."""

    __tablename__ = "pairings"
    id: Mapped[str] = mapped_column(String(32), primary_key=True, default=new_id)
    user_id: Mapped[str] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    name: Mapped[str] = mapped_column(String(80))
    code_hash: Mapped[str] = mapped_column(String(64), unique=True)
    role: Mapped[str] = mapped_column(String(16))
    scopes: Mapped[list[str]]
    token_ends: Mapped[datetime | None]  # how long the token will be good for; the code itself: expires_at
    tries: Mapped[int] = mapped_column(default=0)
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
    expires_at: Mapped[datetime]


class Media(Base):
    __tablename__ = "media"
    id: Mapped[str] = mapped_column(String(32), primary_key=True, default=new_id)
    sha256: Mapped[str] = mapped_column(String(64), unique=True)
    kind: Mapped[str] = mapped_column(String(8))
    mime: Mapped[str] = mapped_column(String(80))
    size: Mapped[int]
    width: Mapped[int]
    height: Mapped[int]
    duration: Mapped[float]
    complete: Mapped[bool] = mapped_column(default=True)  # cut short: never answers by hash
    public: Mapped[bool] = mapped_column(default=False)  # the server itself found these bytes at an address
    acquisition: Mapped[str] = mapped_column(String(12))
    created_at: Mapped[datetime] = mapped_column(default=utc_now)


class MediaHash(Base):
    """What a picture, or one second of a clip, looks like: PDQ, 256 bits. It links media, and never labels one."""

    __tablename__ = "media_hashes"
    id: Mapped[int] = mapped_column(BigInteger().with_variant(Integer(), "sqlite"), primary_key=True)
    media_id: Mapped[str] = mapped_column(ForeignKey("media.id", ondelete="CASCADE"), index=True)
    t: Mapped[float]
    bits: Mapped[bytes] = mapped_column(LargeBinary(32))
    quarantined: Mapped[bool] = mapped_column(default=False)  # so many things look like it that it tells nothing


class HashPart(Base):
    """Where to look for near hashes: each of the 16 words of a hash, with its place, leads to it (hashes.py).

    No foreign key: it would need an index of its own, half as large again. What leads to no hash is not found.
    """

    __tablename__ = "media_hash_parts"
    part: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)  # place << 16 | word
    hash_id: Mapped[int] = mapped_column(BigInteger(), primary_key=True, autoincrement=False)
    __table_args__ = ({"sqlite_with_rowid": False},)


class Location(Base):
    """An address and the media it last held. Only bytes the server fetched itself make a row here."""

    __tablename__ = "locations"
    url_key: Mapped[bytes] = mapped_column(LargeBinary(32), primary_key=True)  # canonical, see identity.py
    exact_key: Mapped[bytes] = mapped_column(LargeBinary(32), index=True)
    url: Mapped[str] = mapped_column(Text)
    media_id: Mapped[str] = mapped_column(ForeignKey("media.id", ondelete="CASCADE"), index=True)
    etag: Mapped[str | None] = mapped_column(String(256))
    last_modified: Mapped[str | None] = mapped_column(String(64))
    fetched_at: Mapped[datetime]  # when its server last sent the bytes or said that they are the same
    downloaded_at: Mapped[datetime | None]  # when the bytes last came
    expires_at: Mapped[datetime]  # until then the address answers without asking its server again
    listed_at: Mapped[datetime | None]  # when its key entered the prefix list; orders the list's deltas
    __table_args__ = (Index("ix_locations_listed", "listed_at", postgresql_where=text("listed_at IS NOT NULL")),)


class Check(Base):
    """The shared job; its row is the truth. `lease_until`, `not_before`, `announced_at`: database epoch seconds."""

    __tablename__ = "checks"
    id: Mapped[str] = mapped_column(String(32), primary_key=True, default=new_id)
    # One live check for one wish: the key is held while the check is under way and let go when it ends.
    dedupe: Mapped[str | None] = mapped_column(String(64), unique=True)
    source: Mapped[str] = mapped_column(String(8))  # url | file | frames
    url: Mapped[str | None] = mapped_column(Text)
    page_url: Mapped[str | None] = mapped_column(Text)
    media_url: Mapped[str | None] = mapped_column(Text)
    sha256: Mapped[str | None] = mapped_column(String(64), index=True)
    spooled: Mapped[str | None] = mapped_column(String(80))  # file name in the spool folder
    acquisition: Mapped[str] = mapped_column(String(12))
    options: Mapped[dict[str, Any]]
    variant: Mapped[str] = mapped_column(String(16))  # "" = default options
    force: Mapped[bool] = mapped_column(default=False)
    priority: Mapped[int]  # 0 interactive, 5 bulk
    state: Mapped[str] = mapped_column(String(10))
    progress: Mapped[float] = mapped_column(default=0.0)
    version: Mapped[int] = mapped_column(default=1)
    attempt: Mapped[int] = mapped_column(default=0)  # fences every write of a run
    alone_attempts: Mapped[int] = mapped_column(default=0)
    owner: Mapped[str | None] = mapped_column(String(80))
    lease_until: Mapped[float] = mapped_column(default=0.0)
    not_before: Mapped[float] = mapped_column(default=0.0)
    announced_at: Mapped[float] = mapped_column(default=0.0)
    announced: Mapped[int] = mapped_column(default=0)
    error: Mapped[dict[str, Any] | None]
    verdict_id: Mapped[str | None] = mapped_column(String(32), index=True)
    cache: Mapped[str | None] = mapped_column(String(8))  # sha256 | url: answered by what was known, without a run
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
    finished_at: Mapped[datetime | None]
    __table_args__ = (
        Index("ix_checks_due", "state", "priority", "created_at"),
        Index("ix_checks_lease", "state", "lease_until"),
    )


class CheckRequest(Base):
    """One person's wish for a check."""

    __tablename__ = "check_requests"
    id: Mapped[str] = mapped_column(String(32), primary_key=True, default=new_id)
    check_id: Mapped[str] = mapped_column(ForeignKey("checks.id", ondelete="CASCADE"), index=True)
    user_id: Mapped[str] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    idempotency_key: Mapped[str | None] = mapped_column(String(128))
    wish: Mapped[str | None] = mapped_column(String(64))  # what was asked under that key, as Wish.dedupe
    # As this person gave it: those who share a check may have come by addresses that tell more than the shared key.
    url: Mapped[str | None] = mapped_column(Text)
    claimed_url: Mapped[str | None] = mapped_column(Text)  # a claim, shown as one: it answers no look-up
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
    withdrawn_at: Mapped[datetime | None]
    __table_args__ = (
        UniqueConstraint("user_id", "idempotency_key"),
        Index("ix_check_requests_user", "user_id", "created_at"),
    )


class AnalysisRow(Base):
    """What the detectors said of one media under one pipeline and one set of options."""

    __tablename__ = "analyses"
    id: Mapped[str] = mapped_column(String(32), primary_key=True, default=new_id)
    media_id: Mapped[str] = mapped_column(ForeignKey("media.id", ondelete="CASCADE"))
    pipeline: Mapped[str] = mapped_column(String(40))
    variant: Mapped[str] = mapped_column(String(16))
    check_id: Mapped[str | None] = mapped_column(String(32))
    attempt: Mapped[int]
    timings: Mapped[dict[str, Any]]
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
    __table_args__ = (Index("ix_analyses_media", "media_id", "pipeline", "variant"),)


class DetectorResult(Base):
    __tablename__ = "detector_results"
    analysis_id: Mapped[str] = mapped_column(ForeignKey("analyses.id", ondelete="CASCADE"), primary_key=True)
    name: Mapped[str] = mapped_column(String(40), primary_key=True)
    version: Mapped[str] = mapped_column(String(40))
    band: Mapped[str] = mapped_column(String(10))
    score: Mapped[float | None]
    weight: Mapped[float]
    ms: Mapped[int]
    reason: Mapped[str | None] = mapped_column(Text)


class VerdictRow(Base):
    """One immutable version. `body` is the JSON of architecture.md without what changes by itself (stale, cache)."""

    __tablename__ = "verdicts"
    id: Mapped[str] = mapped_column(String(32), primary_key=True, default=new_id)
    media_id: Mapped[str] = mapped_column(ForeignKey("media.id", ondelete="CASCADE"))
    analysis_id: Mapped[str | None] = mapped_column(ForeignKey("analyses.id", ondelete="SET NULL"))
    variant: Mapped[str] = mapped_column(String(16))
    version: Mapped[int]
    supersedes: Mapped[str | None] = mapped_column(String(32))
    current: Mapped[bool] = mapped_column(default=True)
    pipeline: Mapped[str] = mapped_column(String(40))
    label: Mapped[str] = mapped_column(String(24))
    basis: Mapped[str] = mapped_column(String(16))
    probability: Mapped[float | None]
    body: Mapped[dict[str, Any]]
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
    expires_at: Mapped[datetime]
    __table_args__ = (
        UniqueConstraint("media_id", "variant", "version"),
        Index(
            "uq_verdicts_current", "media_id", "variant", unique=True,
            sqlite_where=text("current"), postgresql_where=text("current"),
        ),
    )  # fmt: skip


class Evidence(Base):
    __tablename__ = "evidence"
    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    analysis_id: Mapped[str] = mapped_column(ForeignKey("analyses.id", ondelete="CASCADE"), index=True)
    kind: Mapped[str] = mapped_column(String(10))  # face | heatmap
    mime: Mapped[str] = mapped_column(String(40))
    size: Mapped[int]
    created_at: Mapped[datetime] = mapped_column(default=utc_now)


class AuditEvent(Base):
    __tablename__ = "audit_events"
    id: Mapped[str] = mapped_column(String(32), primary_key=True, default=new_id)
    at: Mapped[datetime] = mapped_column(default=utc_now, index=True)
    actor: Mapped[str | None] = mapped_column(String(80))
    action: Mapped[str] = mapped_column(String(40))
    subject: Mapped[str | None] = mapped_column(String(120))
    details: Mapped[dict[str, Any]]
