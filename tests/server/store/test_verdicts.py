"""Versions of what is known of a media, and what look-ups see of them."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import event, select, update

from server.errors import NotFound
from server.store import verdicts
from server.store.db import Database, utc_now
from server.store.tables import Location, Media, VerdictRow
from tests.server.store import rows
from tests.server.store.rows import PIPELINE


@contextmanager
def statements(database: Database) -> Iterator[list[str]]:
    seen: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        if not statement.startswith("BEGIN"):
            seen.append(statement)

    event.listen(database.engine, "before_cursor_execute", note)
    yield seen
    event.remove(database.engine, "before_cursor_execute", note)


def current(database: Database) -> list[tuple[str, int]]:
    with database.read() as session:
        found = select(VerdictRow.variant, VerdictRow.version).where(VerdictRow.current).order_by(VerdictRow.variant)
        return [(variant, version) for variant, version in session.execute(found)]


def test_a_new_version_takes_the_place_of_the_old(any_database: Database) -> None:
    with any_database.write() as session:
        media = rows.media(session)
        first = rows.publish(session, media, "inconclusive")
        second = rows.publish(session, media, "manipulation_likely")
        third = rows.publish(session, media, "no_evidence_found")
    with any_database.read() as session:
        known = verdicts.by_hash(session, media.sha256)
        assert known is not None
        assert (known.verdict.id, known.verdict.version, known.verdict.supersedes) == (third.id, 3, second.id)
        assert [row.id for row in verdicts.history(session, first.id)] == [third.id, second.id, first.id]
        assert [row.current for row in verdicts.history(session, third.id)] == [True, False, False]
        assert verdicts.get(session, first.id).verdict.label == "inconclusive", "an old version stays as it was"
        assert first.supersedes is None


def test_each_variant_has_its_own_versions(any_database: Database) -> None:
    with any_database.write() as session:
        media = rows.media(session)
        usual = rows.publish(session, media)
        rows.publish(session, media, "inconclusive", variant="v20")
        rows.publish(session, media, "manipulation_likely", variant="v20")
    assert current(any_database) == [("", 1), ("v20", 2)]
    with any_database.read() as session:
        assert [row.id for row in verdicts.history(session, usual.id)] == [usual.id]
        other = verdicts.by_hash(session, media.sha256, "v20")
        assert other is not None
        assert other.verdict.label == "manipulation_likely"


def test_publishing_at_once_leaves_exactly_one_current(any_database: Database) -> None:
    with any_database.write() as session:
        media = rows.media(session)
        rows.publish(session, media)
    start = threading.Barrier(6)

    def publish(_: int) -> None:
        start.wait(10)
        with any_database.write() as session:
            rows.publish(session, session.get_one(Media, media.id))

    with ThreadPoolExecutor(6) as pool:
        list(pool.map(publish, range(6)))
    assert current(any_database) == [("", 7)]


def test_two_first_verdicts_at_once_are_two_versions(any_database: Database) -> None:
    with any_database.write() as session:
        media = rows.media(session)

    def publish() -> None:
        with any_database.write() as session:
            rows.publish(session, session.get_one(Media, media.id))

    other = threading.Thread(target=publish)
    with any_database.write() as session:
        rows.publish(session, session.get_one(Media, media.id))
        other.start()
        other.join(0.1)
    other.join(10)
    assert current(any_database) == [("", 2)]


def test_a_verdict_that_is_rolled_back_leaves_the_old_one(any_database: Database) -> None:
    with any_database.write() as session:
        media = rows.media(session)
        rows.publish(session, media)
    with pytest.raises(ZeroDivisionError):
        _publish_and_fail(any_database, media.id)
    assert current(any_database) == [("", 1)]


def _publish_and_fail(database: Database, media_id: str) -> None:
    with database.write() as session:
        rows.publish(session, session.get_one(Media, media_id))
        raise ZeroDivisionError


def test_media_cut_short_does_not_answer_by_hash(any_database: Database) -> None:
    with any_database.write() as session:
        media = rows.media(session, complete=False)
        rows.location(session, media, "https://example.org/a")
        rows.publish(session, media)
        rows.publish(session, media, variant="v20")
        assert verdicts.by_hash(session, media.sha256) is None
        assert verdicts.by_hash(session, media.sha256, "v20") is None
        assert verdicts.by_url(session, rows.key("https://example.org/a")) is not None


def test_another_variant_does_not_answer(any_database: Database) -> None:
    with any_database.write() as session:
        media = rows.media(session)
        rows.location(session, media, "https://example.org/a")
        rows.publish(session, media, variant="v20")
        assert verdicts.by_hash(session, media.sha256) is None
        assert verdicts.by_url(session, rows.key("https://example.org/a")) is None
        assert verdicts.summaries(session, [rows.key("https://example.org/a")], pipeline=PIPELINE) == {}


def test_nothing_is_known_of_what_was_never_seen(any_database: Database) -> None:
    with any_database.read() as session:
        assert verdicts.by_hash(session, "0" * 64) is None
        assert verdicts.by_url(session, bytes(32)) is None
        assert verdicts.summaries(session, [bytes(32)], pipeline=PIPELINE) == {}
        assert verdicts.summaries(session, [], pipeline=PIPELINE) == {}
        for look in (verdicts.get, verdicts.history):
            with pytest.raises(NotFound):
                look(session, "none")


def test_by_url_comes_with_its_address(any_database: Database) -> None:
    with any_database.write() as session:
        media = rows.media(session)
        rows.location(session, media, "https://example.org/a")
        rows.location(session, media, "https://example.org/b")
        rows.publish(session, media)
    with any_database.read() as session:
        known = verdicts.by_url(session, rows.key("https://example.org/b"))
        assert known is not None
        assert known.location is not None
        assert (known.location.url, known.media.id) == ("https://example.org/b", media.id)


def test_summaries_are_one_statement(any_database: Database) -> None:
    now = utc_now()
    urls = [f"https://example.org/{n}" for n in range(50)]
    with any_database.write() as session:
        for url in urls:
            media = rows.media(session, url)
            rows.location(session, media, url)
            rows.publish(session, media, "inconclusive")
            rows.publish(session, media, "manipulation_likely", probability=0.91)
    asked = [rows.key(url) for url in urls] + [rows.key("unknown")]
    with statements(any_database) as seen, any_database.read() as session:
        found = verdicts.summaries(session, asked, pipeline=PIPELINE, now=now)
    assert len(seen) == 1
    assert set(found) == {rows.key(url) for url in urls}
    one = found[rows.key(urls[7])]
    assert set(one) == {"id", "label", "probability", "checked_at", "stale"}
    assert (one["label"], one["probability"], one["stale"]) == ("manipulation_likely", 0.91, False)
    assert one["checked_at"].endswith("Z")


KEEP = timedelta(days=30)
A_MOMENT = timedelta(milliseconds=1)


@pytest.mark.parametrize(
    ("basis", "pipeline", "age", "stale"),
    [
        ("ensemble", PIPELINE, KEEP - A_MOMENT, False),
        ("ensemble", PIPELINE, KEEP, True),
        ("ensemble", "p0", timedelta(0), True),
        ("human", "p0", timedelta(0), False),  # a person's word does not age with the pipeline
        ("human", PIPELINE, KEEP, True),
    ],
)
def test_stale_is_the_same_however_one_asks(
    database: Database, basis: str, pipeline: str, age: timedelta, stale: bool
) -> None:
    with database.write() as session:
        media = rows.media(session)
        rows.location(session, media, "https://example.org/a")
        made = rows.publish(session, media, basis=basis, pipeline=pipeline, keep=KEEP)
        now = made.expires_at - KEEP + age
        known = verdicts.by_url(session, rows.key("https://example.org/a"))
        assert known is not None
        summary = verdicts.summaries(session, [rows.key("https://example.org/a")], pipeline=PIPELINE, now=now)
        assert verdicts.is_stale(made, pipeline=PIPELINE, now=now) is stale
        assert verdicts.present(known, pipeline=PIPELINE, now=now)["stale"] is stale
        assert summary[rows.key("https://example.org/a")]["stale"] is stale


def test_what_is_shown(database: Database) -> None:
    with database.write() as session:
        media = rows.media(session)
        rows.location(session, media, "https://example.org/a")
        first = rows.publish(session, media)
        rows.publish(session, media, "manipulation_likely", probability=0.91)
        by_hash = verdicts.by_hash(session, media.sha256)
        by_url = verdicts.by_url(session, rows.key("https://example.org/a"))
    assert by_hash is not None
    assert by_url is not None
    shown = verdicts.present(by_hash, pipeline=PIPELINE, cache="sha256")
    assert (shown["version"], shown["supersedes"], shown["state"]) == (2, first.id, "complete")
    assert (shown["label"], shown["probability"], shown["cache"]) == ("manipulation_likely", 0.91, "sha256")
    assert shown["created_at"].endswith("Z")
    assert shown["expires_at"] > shown["created_at"]
    assert "fetched_at" not in shown
    assert verdicts.present(by_url, pipeline=PIPELINE)["fetched_at"].endswith("Z")


def test_a_new_version_lists_the_addresses_again_and_a_variant_does_not(any_database: Database) -> None:
    long_ago = utc_now() - timedelta(days=3)
    with any_database.write() as session:
        media, other = rows.media(session), rows.media(session, "other")
        rows.location(session, media, "https://example.org/a", listed_at=long_ago)
        rows.location(session, other, "https://example.org/b", listed_at=long_ago)
        rows.publish(session, media, variant="v20")
    assert _listed(any_database) == [long_ago, long_ago]
    with any_database.write() as session:
        made = rows.publish(session, session.get_one(Media, media.id))
    assert _listed(any_database) == [made.created_at, long_ago]


def _listed(database: Database) -> list[Any]:
    with database.read() as session:
        return list(session.scalars(select(Location.listed_at).order_by(Location.url)))


def test_counts_are_of_current_verdicts(any_database: Database) -> None:
    with any_database.write() as session:
        assert verdicts.counts(session) == {}
        for n, label in enumerate(["inconclusive", "inconclusive", "manipulation_likely"]):
            media = rows.media(session, str(n))
            rows.publish(session, media, "no_evidence_found")
            rows.publish(session, media, label)
        assert verdicts.counts(session) == {"inconclusive": 2, "manipulation_likely": 1}


def test_the_database_itself_refuses_a_second_current_verdict(any_database: Database) -> None:
    with any_database.write() as session:
        media = rows.media(session)
        rows.publish(session, media)
        rows.publish(session, media)
    with pytest.raises(Exception, match=r"(?i)unique"), any_database.write() as session:
        session.execute(update(VerdictRow).values(current=True))
