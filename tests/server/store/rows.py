"""Rows that many tests of the store need."""

from __future__ import annotations

import hashlib
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy.orm import Session

from server.store import verdicts
from server.store.db import Database, utc_now
from server.store.tables import Location, Media, User, VerdictRow

PIPELINE = "p1"


def user(database: Database, name: str = "ada") -> str:
    """The id of a new person."""
    with database.write() as session:
        person = User(name=name, password_hash="", role="viewer")
        session.add(person)
        session.flush()
        return person.id


def sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def key(text: str) -> bytes:
    return hashlib.sha256(text.encode()).digest()


def media(session: Session, text: str = "bytes", **other: Any) -> Media:
    values: dict[str, Any] = {
        "sha256": sha256(text), "kind": "image", "mime": "image/png", "size": 10, "width": 512, "height": 512,
        "duration": 0.0, "acquisition": "download",
    }  # fmt: skip
    row = Media(**(values | other))
    session.add(row)
    session.flush()
    return row


def location(session: Session, of: Media, url: str, listed_at: datetime | None = None, **other: Any) -> Location:
    now = utc_now()
    values: dict[str, Any] = {
        "url_key": key(url), "exact_key": key(url), "url": url, "media_id": of.id, "fetched_at": now,
        "expires_at": now + timedelta(hours=1), "listed_at": listed_at,
    }  # fmt: skip
    row = Location(**(values | other))
    session.add(row)
    session.flush()
    return row


def publish(session: Session, of: Media, label: str = "no_evidence_found", **other: Any) -> VerdictRow:
    body = {"label": label, "basis": other.pop("basis", "ensemble"), "probability": other.pop("probability", 0.25)}
    values: dict[str, Any] = {
        "variant": "", "pipeline": PIPELINE, "analysis_id": None, "keep": timedelta(days=30),
    }  # fmt: skip
    return verdicts.publish(session, of, body=body, **(values | other))
