"""Near duplicates: what media look like, kept and searched in SQL. They are linked; no verdict travels along a link.

Two hashes at most 31 bits apart have, of their 16 words of 16 bits, one that differs in a single bit at the most (two
in each would be 32). So 16 x 17 exact look-ups find all of them, on any database.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import median_low
from typing import Any

from sqlalchemy import exists, func, insert, select, update
from sqlalchemy.orm import Session

from server.store.db import iso
from server.store.tables import HashPart, Media, MediaHash, VerdictRow
from server.store.verdicts import DEFAULT_VARIANT

NEAR = 31  # of 256 bits. Saved again 2, a tight screenshot 15 (medians); a face swap 4 to 26
SHARED = 0.5  # of the seconds of one clip, to be found in the other: a part cut out matches, a common opening does not
MOST_ALIKE = 50  # media that look like one hash; one that matches more tells nothing
MOST_ASKED = 12  # seconds of a clip that are searched for, 15 ms each among a million
MOST_COMPARED = 20
_WORDS, _WORD_BITS = 16, 16

Second = tuple[float, bytes]  # what it looks like, and when
MaySee = Callable[[Media], bool]


@dataclass(frozen=True)
class Alike:
    media: Media
    distance: int  # bits, of the seconds that match the one in the middle
    share: float  # of the seconds of the one or the other, whichever has more in common; 1 for pictures


@dataclass(frozen=True)
class Looked:
    """What a search among all hashes brought. `crowd`: hashes found to look like too much."""

    seconds: tuple[Second, ...]  # to be kept
    alike: tuple[Alike, ...]  # the most alike first
    crowd: frozenset[int] = frozenset()


@dataclass(frozen=True)
class _Hit:
    id: int
    media_id: str
    distance: int
    quarantined: bool


def look(session: Session, sha256: str, kind: str, seconds: Sequence[Second], may_see: MaySee) -> Looked:
    """Media of this kind that look like these seconds, as far as they may be seen."""
    ourselves = session.scalar(select(Media.id).where(Media.sha256 == sha256))
    told: dict[bytes, float] = {}
    for t, bits in sorted(seconds):
        told.setdefault(bits, t)
    votes: Counter[str] = Counter()
    crowd: set[int] = set()
    for bits in _spread(list(told), MOST_ASKED):
        hits = [hit for hit in _near(session, bits) if hit.media_id != ourselves]
        found = {hit.media_id for hit in hits}
        if _crowded(session, found) or any(hit.quarantined for hit in hits):
            crowd |= {hit.id for hit in hits if not hit.quarantined}
            del told[bits]
        else:
            votes.update(found)
    seen = [media for media in _media(session, votes, kind) if may_see(media)]
    compared = [_compared(session, media, list(told)) for media in seen[:MOST_COMPARED]]
    alike = sorted(filter(None, compared), key=lambda one: (-one.share, one.distance))
    return Looked(tuple((t, bits) for bits, t in told.items()), tuple(alike), frozenset(crowd))


def _crowded(session: Session, found: set[str]) -> bool:
    """Only what is public counts: nobody's uploads may make a published picture unfindable."""
    if len(found) <= MOST_ALIKE:
        return False
    public = select(func.count()).select_from(Media).where(Media.id.in_(found), Media.public)
    return (session.scalar(public) or 0) > MOST_ALIKE


def keep(session: Session, media_id: str, looked: Looked) -> None:
    """Once for each media, whatever it is checked with later."""
    if looked.crowd:
        session.execute(update(MediaHash).where(MediaHash.id.in_(list(looked.crowd))).values(quarantined=True))
    if not looked.seconds or session.scalar(select(exists().where(MediaHash.media_id == media_id))):
        return
    made = [MediaHash(media_id=media_id, t=t, bits=bits) for t, bits in looked.seconds]
    session.add_all(made)
    session.flush()
    session.execute(insert(HashPart), [{"part": part, "hash_id": row.id} for row in made for part in _parts(row.bits)])


def similar(session: Session, media: Media, may_see: MaySee) -> tuple[Alike, ...]:
    """What is known by now to look like this media."""
    kept = select(MediaHash.t, MediaHash.bits).where(MediaHash.media_id == media.id, ~MediaHash.quarantined)
    seconds = [(t, bits) for t, bits in session.execute(kept.order_by(MediaHash.t, MediaHash.id))]
    return look(session, media.sha256, media.kind, seconds, may_see).alike


def match(session: Session, looked: Looked) -> dict[str, Any] | None:
    """The one to name in a verdict: what a person has judged before what a machine has, then the most alike."""
    judged = sorted(described(session, looked.alike), key=lambda one: bool(one["basis"] != "human"))
    return judged[0] if judged else None


def described(session: Session, alike: Sequence[Alike]) -> list[dict[str, Any]]:
    """Each with what is known of it at this moment; without what has no verdict."""
    among = VerdictRow.media_id.in_([one.media.id for one in alike])
    rows = session.scalars(select(VerdictRow).where(among, VerdictRow.variant == DEFAULT_VARIANT, VerdictRow.current))
    known = {row.media_id: row for row in rows}
    return [_described(one, known[one.media.id]) for one in alike if one.media.id in known]


def _described(alike: Alike, verdict: VerdictRow) -> dict[str, Any]:
    return {
        "sha256": alike.media.sha256,
        "verdict": verdict.id,
        "label": verdict.label,
        "basis": verdict.basis,
        "checked_at": iso(verdict.created_at),
        "distance": alike.distance,
        "share": round(alike.share, 2),
    }


def distance(one: bytes, other: bytes) -> int:
    return (int.from_bytes(one) ^ int.from_bytes(other)).bit_count()


def _near(session: Session, bits: bytes) -> list[_Hit]:
    asked = [part ^ flipped for part in _parts(bits) for flipped in (0, *(1 << bit for bit in range(_WORD_BITS)))]
    # By itself: PostgreSQL would start parallel workers for the whole, which takes ten times as long as the search.
    led = select(HashPart.hash_id).where(HashPart.part.in_(asked)).distinct().cte().prefix_with("MATERIALIZED")
    rows = session.execute(
        select(MediaHash.id, MediaHash.media_id, MediaHash.bits, MediaHash.quarantined).join(
            led, led.c.hash_id == MediaHash.id
        )
    )
    ours = int.from_bytes(bits)
    found = {
        hash_id: _Hit(hash_id, media_id, apart, quarantined)
        for hash_id, media_id, theirs, quarantined in rows
        if (apart := (ours ^ int.from_bytes(theirs)).bit_count()) <= NEAR
    }
    return list(found.values())


def _parts(bits: bytes) -> list[int]:
    words = (int.from_bytes(bits[2 * place : 2 * place + 2]) for place in range(_WORDS))
    return [place << _WORD_BITS | word for place, word in enumerate(words)]


def _spread(all_of_them: Sequence[bytes], most: int) -> list[bytes]:
    if len(all_of_them) <= most:
        return list(all_of_them)
    return [all_of_them[(2 * i + 1) * len(all_of_them) // (2 * most)] for i in range(most)]


def _media(session: Session, votes: Counter[str], kind: str) -> list[Media]:
    """Those with most seconds in common first. Media cut short answers for nothing but itself."""
    rows = session.scalars(select(Media).where(Media.id.in_(list(votes)), Media.kind == kind, Media.complete))
    return sorted(rows, key=lambda media: (-votes[media.id], media.id))


def _compared(session: Session, media: Media, ours: Sequence[bytes]) -> Alike | None:
    kept = session.scalars(select(MediaHash.bits).where(MediaHash.media_id == media.id, ~MediaHash.quarantined))
    if not (theirs := kept.all()):
        return None
    found = [_found(ours, theirs), _found(theirs, ours)]
    share, apart = max(((len(near) / len(asked), near) for near, asked in zip(found, (ours, theirs), strict=True)))
    return Alike(media, median_low(apart), share) if share >= SHARED else None


def _found(asked: Sequence[bytes], among: Sequence[bytes]) -> list[int]:
    """For each hash that is there, how far its nearest is."""
    nearest = (min(distance(one, other) for other in among) for one in asked)
    return [apart for apart in nearest if apart <= NEAR]
