"""Private look-up: a compact list of known keys, so that a browser asks nothing about pages nobody has checked.

Below FULL_KEYS_UP_TO keys the list carries 64-bit keys with their labels and answers by itself. Above, it carries
32-bit prefixes, and a hit is settled by asking for a bucket: a prefix so short that BUCKET_KEYS known keys share it.

    header   16 bytes  "UMKL", format 1, key bits (64 | 32), bucket hex digits, flags (1 = a delta), then the
                       list's generation: milliseconds since 1970, unsigned 64-bit big-endian
    entries  sorted; 64-bit: the key's first 8 bytes, then one byte: the label's place in LABELS; 32-bit: 4 bytes
A delta holds what entered or changed its label after the generation it was asked from.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from string import hexdigits
from typing import Any

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session

from server.errors import BadRequest
from server.store.db import iso
from server.store.tables import Location, VerdictRow
from server.store.verdicts import DEFAULT_VARIANT
from server.verdict import LABELS

MAGIC = b"UMKL"
FORMAT = 1
DELTA = 1
LIST_LIMIT = 1_000_000
FULL_KEYS_UP_TO = 100_000
BUCKET_KEYS = 20
HEADER = struct.Struct(">4sBBBBQ")
BUCKET_LIMIT = 10_000  # one answer stays small even where keys bunch up
_STREAMED = {"yield_per": 10_000}
OVERLAP = timedelta(seconds=30)  # a row is stamped before it is committed: a delta looks back past what was in flight


@dataclass(frozen=True)
class ListState:
    """What the list is now, without its entries: enough for an ETag and for the length of a bucket's prefix."""

    keys: int
    generation: int  # milliseconds since 1970 of the newest entry, 0 = empty

    @property
    def key_bits(self) -> int:
        return 64 if self.keys < FULL_KEYS_UP_TO else 32

    @property
    def bucket_digits(self) -> int:
        """Hex digits a bucket is asked by: keys are hashes and spread evenly, so each holds about keys / 16**digits."""
        return max(1, int(math.log(self.keys / BUCKET_KEYS, 16))) if self.keys > BUCKET_KEYS else 1

    @property
    def etag(self) -> str:
        return f"{FORMAT}-{self.key_bits}-{self.keys}-{self.generation}"


def state(session: Session) -> ListState:
    keys, newest = session.execute(
        select(func.count(), func.max(Location.listed_at)).where(Location.listed_at.is_not(None))
    ).one()
    return ListState(min(keys, LIST_LIMIT), _milliseconds(newest) if newest else 0)


def encode(session: Session, now: ListState, since: int | None = None) -> bytes:
    """The whole list, or what is new after generation `since`. Rows stream by: a million keys never are in memory."""
    wanted: list[ColumnElement[bool]] = [Location.listed_at.is_not(None)]
    if since is not None:
        known = min(max(since, 0), now.generation)  # the number comes from outside, or from before a restored backup
        wanted.append(Location.listed_at > _moment(known) - OVERLAP)
    newest_first = select(Location.listed_at).where(*wanted).order_by(Location.listed_at.desc())
    if (left_out := session.scalar(newest_first.offset(LIST_LIMIT).limit(1))) is not None:
        wanted.append(Location.listed_at > left_out)
    flags = DELTA if since is not None else 0
    header = HEADER.pack(MAGIC, FORMAT, now.key_bits, now.bucket_digits, flags, now.generation)
    pack = _keys_with_labels if now.key_bits == 64 else _bare_prefixes
    return header + pack(session, wanted)


def _keys_with_labels(session: Session, wanted: Sequence[ColumnElement[bool]]) -> bytes:
    rows = (
        select(Location.url_key, VerdictRow.label)
        .join(VerdictRow, VerdictRow.media_id == Location.media_id)
        .where(*wanted, VerdictRow.variant == DEFAULT_VARIANT, VerdictRow.current)
        .order_by(Location.url_key)
    )
    packed = bytearray()
    for key, label in session.execute(rows, execution_options=_STREAMED):
        packed += key[:8]
        packed.append(LABELS.index(label))
    return bytes(packed)


def _bare_prefixes(session: Session, wanted: Sequence[ColumnElement[bool]]) -> bytes:
    packed = bytearray()
    rows = select(Location.url_key).where(*wanted).order_by(Location.url_key)
    for key in session.scalars(rows, execution_options=_STREAMED):
        if packed[-4:] != key[:4]:
            packed += key[:4]
    return bytes(packed)


def bucket(session: Session, prefix: str, now: ListState) -> list[dict[str, Any]]:
    """The known keys that begin with `prefix`: what follows it, and the label. Never an address."""
    if len(prefix) > now.bucket_digits:
        raise BadRequest(
            f"Ask by at most {now.bucket_digits} hex digits: a longer prefix would tell which page is meant.",
            details={"bucket_digits": now.bucket_digits},
        )
    if not set(prefix) <= set(hexdigits):
        raise BadRequest("A prefix is made of hex digits.")
    low = bytes.fromhex(prefix.ljust(64, "0"))
    high = bytes.fromhex(prefix.ljust(64, "f"))
    rows = session.execute(
        select(Location.url_key, VerdictRow.id, VerdictRow.label, VerdictRow.probability, VerdictRow.created_at)
        .join(VerdictRow, VerdictRow.media_id == Location.media_id)
        .where(
            Location.url_key.between(low, high),
            Location.listed_at.is_not(None),
            VerdictRow.variant == DEFAULT_VARIANT,
            VerdictRow.current,
        )
        .order_by(Location.url_key)
        .limit(BUCKET_LIMIT)
    )
    return [
        {
            "suffix": bytes(key).hex()[len(prefix) :],
            "id": verdict_id,
            "label": label,
            "probability": probability,
            "checked_at": iso(created),
        }
        for key, verdict_id, label, probability, created in rows
    ]


def _milliseconds(moment: datetime) -> int:
    return math.floor(moment.timestamp() * 1000)


def _moment(milliseconds: int) -> datetime:
    return datetime.fromtimestamp(0, UTC) + timedelta(milliseconds=milliseconds)
