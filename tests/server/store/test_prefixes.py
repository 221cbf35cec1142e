"""The list that spares a browser from asking, and the buckets it asks by when it must."""

from __future__ import annotations

import hashlib
import struct
from dataclasses import dataclass
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import insert
from sqlalchemy.orm import Session

from server.errors import BadRequest
from server.store import prefixes
from server.store.db import Database, utc_now
from server.store.prefixes import ListState
from server.store.tables import Location, Media, VerdictRow, new_id
from server.verdict import LABELS
from tests.server.store import rows


@dataclass(frozen=True)
class Decoded:
    """The list as the extension reads it, written down here a second time on purpose."""

    bits: int
    digits: int
    delta: bool
    generation: int
    labels: dict[bytes, str | None]


def decode(packed: bytes) -> Decoded:
    magic, version, bits, digits, flags, generation = struct.unpack(">4sBBBBQ", packed[:16])
    assert (magic, version, flags & ~1) == (b"UMKL", 1, 0)
    size = {64: 9, 32: 4}[bits]
    body = packed[16:]
    assert len(body) % size == 0
    entries = [body[at : at + size] for at in range(0, len(body), size)]
    assert entries == sorted(set(entries)), "sorted, each once: it is searched by halving"
    labels = {entry[: bits // 8]: LABELS[entry[8]] if bits == 64 else None for entry in entries}
    return Decoded(bits, digits, bool(flags & 1), generation, labels)


def listed(session: Session, url: str, label: str = "no_evidence_found") -> Media:
    media = rows.media(session, url)
    rows.location(session, media, url)
    rows.publish(session, media, label)
    return media


def whole(session: Session) -> Decoded:
    return decode(prefixes.encode(session, prefixes.state(session)))


def delta(session: Session, since: int) -> Decoded:
    return decode(prefixes.encode(session, prefixes.state(session), since))


def many(session: Session, count: int) -> list[bytes]:
    """That many known addresses, written in three statements."""
    now = utc_now()
    keys = [hashlib.sha256(str(n).encode()).digest() for n in range(count)]
    ids = [new_id() for _ in keys]
    session.execute(
        insert(Media),
        [
            {
                "id": id_, "sha256": key.hex(), "kind": "image", "mime": "image/png", "size": 1, "width": 1,
                "height": 1, "duration": 0.0, "acquisition": "download",
            }
            for id_, key in zip(ids, keys, strict=True)
        ],
    )  # fmt: skip
    session.execute(
        insert(Location),
        [
            {
                "url_key": key, "exact_key": key, "url": "", "media_id": id_, "fetched_at": now, "expires_at": now,
                "listed_at": now,
            }
            for id_, key in zip(ids, keys, strict=True)
        ],
    )  # fmt: skip
    session.execute(
        insert(VerdictRow),
        [
            {
                "media_id": id_, "variant": "", "version": 1, "pipeline": "p1", "label": "no_evidence_found",
                "basis": "ensemble", "body": {}, "expires_at": now,
            }
            for id_ in ids
        ],
    )  # fmt: skip
    return keys


def test_an_empty_list_is_a_header(any_database: Database) -> None:
    with any_database.read() as session:
        assert prefixes.state(session) == ListState(0, 0)
        assert prefixes.encode(session, ListState(0, 0)) == b"UMKL\x01\x40\x01\x00" + bytes(8)
        assert delta(session, 0).labels == {}


def test_keys_and_labels_come_back(any_database: Database) -> None:
    urls = {f"https://example.org/{label}": label for label in LABELS}
    with any_database.write() as session:
        before = utc_now()
        for url, label in urls.items():
            listed(session, url, label)
    with any_database.read() as session:
        found = whole(session)
    assert found.labels == {rows.key(url)[:8]: label for url, label in urls.items()}
    assert (found.bits, found.delta) == (64, False)
    assert abs(found.generation / 1000 - before.timestamp()) < 60


def test_what_no_look_up_answers_is_not_listed(any_database: Database) -> None:
    with any_database.write() as session:
        never = rows.media(session, "never listed")
        rows.location(session, never, "https://example.org/never")
        rows.publish(session, never, variant="v20")
        unjudged = rows.media(session, "unjudged")
        rows.location(session, unjudged, "https://example.org/unjudged", listed_at=utc_now())
        assert whole(session).labels == {}


def test_a_media_at_two_addresses_is_listed_twice(any_database: Database) -> None:
    with any_database.write() as session:
        media = rows.media(session)
        for url in ("a", "b"):
            rows.location(session, media, url)
        rows.publish(session, media)
        assert set(whole(session).labels) == {rows.key("a")[:8], rows.key("b")[:8]}
        assert prefixes.state(session).keys == 2


def test_a_delta_holds_what_came_since(any_database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(prefixes, "OVERLAP", timedelta(0))
    with any_database.write() as session:
        listed(session, "a")
        listed(session, "b", "inconclusive")
        for url in ("a", "b"):
            session.get_one(Location, rows.key(url)).listed_at = utc_now() - timedelta(minutes=5)
        session.flush()
        generation = whole(session).generation
        listed(session, "c", "manipulation_likely")
        found = delta(session, generation)
        assert found.delta
        assert rows.key("c")[:8] in found.labels
        assert found.generation > generation
        assert set(delta(session, found.generation).labels) == {rows.key("c")[:8]}


def test_a_changed_label_is_in_the_next_delta(any_database: Database) -> None:
    with any_database.write() as session:
        media = listed(session, "a", "inconclusive")
        session.get_one(Location, rows.key("a")).listed_at = utc_now() - timedelta(minutes=5)
        session.flush()
        before = whole(session)
    with any_database.write() as session:
        rows.publish(session, session.get_one(Media, media.id), "confirmed_manipulated")
    with any_database.read() as session:
        found = delta(session, before.generation)
        assert found.labels == {rows.key("a")[:8]: "confirmed_manipulated"}
        assert found.generation > before.generation
        assert prefixes.state(session).etag != ListState(1, before.generation).etag


def test_a_delta_looks_back_past_what_was_in_flight(any_database: Database) -> None:
    """A row stamped before the newest one may be committed after it was handed out."""
    now = utc_now()
    with any_database.write() as session:
        listed(session, "fast")
        generation = whole(session).generation
        slow = rows.media(session, "slow")
        rows.publish(session, slow)
        rows.location(session, slow, "slow", listed_at=now - timedelta(seconds=20))
        assert rows.key("slow")[:8] in delta(session, generation).labels


@pytest.mark.parametrize("since", [-(2**63), -1, 0, 2**63 - 1, 2**64])
def test_any_generation_can_be_asked_from(database: Database, since: int) -> None:
    """Below the first or above the newest (the database came back from a backup): never an error."""
    with database.write() as session:
        listed(session, "a")
        assert set(delta(session, since).labels) == {rows.key("a")[:8]}


def test_long_lists_carry_short_prefixes(any_database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(prefixes, "FULL_KEYS_UP_TO", 3)
    with any_database.write() as session:
        for url in ("a", "b"):
            listed(session, url)
        assert whole(session).bits == 64
        listed(session, "c")
        found = whole(session)
        assert found.bits == 32
        assert set(found.labels) == {rows.key(url)[:4] for url in ("a", "b", "c")}
        assert prefixes.state(session).etag.startswith("1-32-3-")


def test_the_list_ends_at_its_limit_with_the_newest(any_database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(prefixes, "LIST_LIMIT", 2)
    with any_database.write() as session:
        for age, url in enumerate(["newest", "newer", "old"]):
            listed(session, url)
            session.get_one(Location, rows.key(url)).listed_at = utc_now() - timedelta(minutes=age)
        session.flush()
        assert set(whole(session).labels) == {rows.key("newest")[:8], rows.key("newer")[:8]}
        assert prefixes.state(session).keys == 2


@given(st.integers(prefixes.BUCKET_KEYS * 16, 10**9))
def test_a_bucket_holds_enough_keys_to_hide_in(keys: int) -> None:
    digits = ListState(keys, 0).bucket_digits
    assert keys / 16**digits >= prefixes.BUCKET_KEYS
    assert keys / 16 ** (digits + 1) < prefixes.BUCKET_KEYS * (1 + 1e-9), "and no more than it must"


@pytest.mark.parametrize(
    ("keys", "digits"), [(0, 1), (1, 1), (320, 1), (20 * 16**2 - 1, 1), (20 * 16**2, 2), (100_000, 3), (1_000_000, 3)]
)
def test_digits_of_a_bucket(keys: int, digits: int) -> None:
    assert ListState(keys, 0).bucket_digits == digits


def test_buckets_hold_every_key_once(database: Database) -> None:
    with database.write() as session:
        keys = many(session, prefixes.BUCKET_KEYS * 16**2)
    with database.read() as session:
        now = prefixes.state(session)
        assert now.bucket_digits == 2
        found = [
            prefix + entry["suffix"]
            for prefix in (f"{n:02x}" for n in range(256))
            for entry in prefixes.bucket(session, prefix, now)
        ]
    assert found == sorted(key.hex() for key in keys)


def test_a_bucket_tells_label_and_never_an_address(any_database: Database) -> None:
    with any_database.write() as session:
        listed(session, "a", "manipulation_likely")
        prefix = rows.key("a").hex()[:1]
        (entry,) = prefixes.bucket(session, prefix, prefixes.state(session))
        assert set(entry) == {"suffix", "id", "label", "probability", "checked_at"}
        assert prefix + entry["suffix"] == rows.key("a").hex()
        assert entry["label"] == "manipulation_likely"
        assert prefixes.bucket(session, prefix.upper(), prefixes.state(session)) == [entry]
        assert prefixes.bucket(session, f"{(int(prefix, 16) + 1) % 16:x}", prefixes.state(session)) == []


def test_a_prefix_that_would_tell_the_page_is_refused(database: Database) -> None:
    with database.read() as session:
        with pytest.raises(BadRequest, match="at most 1 ") as refused:
            prefixes.bucket(session, "ab", ListState(100, 0))
        assert refused.value.details == {"bucket_digits": 1}
        assert prefixes.bucket(session, "abc", ListState(100_000, 0)) == []
        with pytest.raises(BadRequest):
            prefixes.bucket(session, "abcd", ListState(100_000, 0))


@pytest.mark.parametrize("prefix", ["g", "0x", "  ", "a b", "-1", "\t\t", "١", "ａ", "%"])
def test_a_prefix_is_hex(database: Database, prefix: str) -> None:
    with database.read() as session, pytest.raises(BadRequest, match="hex"):
        prefixes.bucket(session, prefix, ListState(10**6, 0))
