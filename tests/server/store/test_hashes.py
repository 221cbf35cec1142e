"""Near duplicates in SQL: all that are near are found, on both databases, and nothing is told that may not be seen."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from server.store import hashes
from server.store.db import Database
from server.store.hashes import MOST_ALIKE, MOST_ASKED, NEAR, Looked
from server.store.tables import HashPart, Media, MediaHash
from tests.server.store import rows

FACE = bytes(range(7, 39))
bit_places = st.lists(st.integers(0, 255), unique=True, max_size=60)


def flipped(bits: bytes, places: Sequence[int]) -> bytes:
    changed = int.from_bytes(bits)
    for place in places:
        changed ^= 1 << place
    return changed.to_bytes(len(bits))


def hashed(seed: int) -> bytes:
    return rows.key(f"hash {seed}")


def kept(session: Session, text: str, *bits: bytes, judged: bool = True, **other: object) -> Media:
    media = rows.media(session, text, **({"public": True} | other))
    hashes.keep(session, media.id, Looked(tuple((float(t), one) for t, one in enumerate(bits)), ()))
    if judged:
        rows.publish(session, media)
    return media


def looked(session: Session, *bits: bytes, kind: str = "image", sha256: str = rows.sha256("asking")) -> Looked:
    seconds = [(float(t), one) for t, one in enumerate(bits)]
    return hashes.look(session, sha256, kind, seconds, lambda media: media.public)


def test_saved_again_is_found_and_others_are_not(any_database: Database) -> None:
    with any_database.write() as session:
        media = kept(session, "a", FACE)
        for seed in range(30):
            kept(session, f"other {seed}", hashed(seed))
    with any_database.read() as session:
        (found,) = looked(session, flipped(FACE, range(0, 40, 4))).alike
        assert (found.media.id, found.distance, found.share) == (media.id, 10, 1.0)
        assert looked(session, hashed(999)).alike == ()
        assert looked(session, FACE, kind="video").alike == (), "a frame is not the clip"


@pytest.mark.parametrize("apart", [0, 1, NEAR, NEAR + 1])
def test_up_to_the_limit_and_no_further(any_database: Database, apart: int) -> None:
    spread = [(37 * n) % 256 for n in range(apart)]
    with any_database.write() as session:
        kept(session, "a", FACE)
        found = looked(session, flipped(FACE, spread)).alike
    assert [one.distance for one in found] == ([apart] if apart <= NEAR else [])


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(bit_places)
def test_whichever_bits_differ_the_search_is_exact(database: Database, places: list[int]) -> None:
    with database.write() as session:
        if session.scalar(select(func.count()).select_from(Media)) == 0:
            kept(session, "a", FACE)
        found = looked(session, flipped(FACE, places)).alike
    assert [one.distance for one in found] == ([len(places)] if len(places) <= NEAR else [])


def test_nobody_is_told_of_what_another_person_brought(any_database: Database) -> None:
    with any_database.write() as session:
        private, half = kept(session, "private", FACE, public=False), kept(session, "half", FACE, complete=False)
        asked = looked(session, FACE)
        assert (asked.alike, hashes.match(session, asked)) == ((), None)
        private.public = half.complete = True
        session.flush()
        assert {one.media.id for one in looked(session, FACE).alike} == {private.id, half.id}


def test_it_does_not_look_like_itself(any_database: Database) -> None:
    with any_database.write() as session:
        media = kept(session, "a", FACE)
        assert looked(session, FACE, sha256=media.sha256).alike == ()
        assert hashes.similar(session, media, lambda _: True) == ()
        copy = kept(session, "b", flipped(FACE, [3]))
        assert [one.media.id for one in hashes.similar(session, media, lambda _: True)] == [copy.id]
        assert [one.media.id for one in hashes.similar(session, copy, lambda _: True)] == [media.id]


def test_the_most_alike_and_a_persons_word_come_first(any_database: Database) -> None:
    with any_database.write() as session:
        kept(session, "unjudged", FACE, judged=False)
        near = kept(session, "near", flipped(FACE, [1]))
        far = kept(session, "far", flipped(FACE, range(20)))
        asked = looked(session, FACE)
        assert [one.distance for one in asked.alike] == [0, 1, 20]
        told = hashes.match(session, asked)
        assert told is not None
        assert (told["sha256"], told["label"], told["distance"]) == (near.sha256, "no_evidence_found", 1)
        verdict = rows.publish(session, far, "confirmed_manipulated", basis="human")
        told = hashes.match(session, looked(session, FACE))
        assert told is not None
        assert (told["verdict"], told["label"], told["basis"]) == (verdict.id, "confirmed_manipulated", "human")


def seconds(first: int, last: int, change: int = 0) -> list[bytes]:
    return [flipped(hashed(n), range(change)) for n in range(first, last)]


def test_a_part_cut_out_of_a_clip_matches_and_a_common_opening_does_not(any_database: Database) -> None:
    with any_database.write() as session:
        whole = kept(session, "whole", *seconds(0, 40), kind="video")
        kept(session, "same opening", *seconds(0, 4), *seconds(200, 240), kind="video")
        (cut,) = looked(session, *seconds(10, 20, 5), kind="video").alike
        assert (cut.media.id, cut.distance, cut.share) == (whole.id, 5, 1.0)
        part = kept(session, "part", *seconds(30, 39), kind="video")
        around = hashes.similar(session, part, lambda _: True)
        assert [one.media.id for one in around] == [whole.id]
        assert part.id in {one.media.id for one in hashes.similar(session, whole, lambda _: True)}


def test_a_long_clip_asks_with_a_few_of_its_seconds(any_database: Database) -> None:
    asked = hashes._spread(seconds(0, 60), MOST_ASKED)
    assert len(set(asked)) == MOST_ASKED
    assert hashes._spread(asked[:3], MOST_ASKED) == asked[:3]
    assert hashes._spread([], MOST_ASKED) == []


def test_what_looks_like_too_much_is_put_aside(any_database: Database) -> None:
    with any_database.write() as session:
        for n in range(MOST_ALIKE):
            kept(session, str(n), flipped(FACE, [n]))
        assert len(looked(session, FACE).alike) == hashes.MOST_COMPARED
        kept(session, "one too many", FACE)
        asked = looked(session, FACE)
        assert (asked.alike, asked.seconds, len(asked.crowd)) == ((), (), MOST_ALIKE + 1)
        new = rows.media(session, "new")
        hashes.keep(session, new.id, asked)
        stored = select(func.count()).select_from(MediaHash)
        assert session.scalar(stored.where(MediaHash.quarantined)) == session.scalar(stored) == MOST_ALIKE + 1
        again = looked(session, FACE)
        assert (again.alike, again.seconds, again.crowd) == ((), (), frozenset())


def test_uploads_that_only_their_owners_see_put_nothing_aside(any_database: Database) -> None:
    with any_database.write() as session:
        published = kept(session, "published", FACE)
        for n in range(MOST_ALIKE + 1):
            kept(session, str(n), flipped(FACE, [n]), public=False)
        asked = looked(session, FACE)
        assert ([one.media.id for one in asked.alike], asked.crowd) == ([published.id], frozenset())


def test_kept_once_with_what_is_different_in_it(any_database: Database) -> None:
    with any_database.write() as session:
        media = kept(session, "a", FACE, hashed(1), kind="video")
        asked = looked(session, FACE, FACE, hashed(2), kind="video", sha256=media.sha256)
        assert asked.seconds == ((0.0, FACE), (2.0, hashed(2)))
        hashes.keep(session, media.id, asked)
        assert session.scalars(select(MediaHash.bits).order_by(MediaHash.t)).all() == [FACE, hashed(1)]
        assert session.scalar(select(func.count()).select_from(HashPart)) == 32


def test_hashes_go_with_their_media(any_database: Database) -> None:
    with any_database.write() as session:
        media = kept(session, "a", FACE, judged=False)
        session.delete(media)
        session.flush()
        assert session.scalar(select(func.count()).select_from(MediaHash)) == 0
        assert looked(session, FACE).alike == ()


def test_a_hash_put_aside_meanwhile_is_no_likeness(any_database: Database) -> None:
    with any_database.write() as session:
        media = kept(session, "a", FACE)
        session.execute(update(MediaHash).values(quarantined=True))
        assert hashes.similar(session, media, lambda _: True) == ()
        assert hashes._compared(session, media, [FACE]) is None
