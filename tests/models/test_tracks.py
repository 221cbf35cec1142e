from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models import landmarks
from models.tracks import MOST_IDENTITIES, Tracker, look, near, overlap
from models.types import Box, Face, FaceTrack, Floats, Rgb

RNG = np.random.default_rng(0)
LOOKS = {name: RNG.integers(0, 255, (256, 256, 3), dtype=np.uint8) for name in "ab"}
for picture in LOOKS.values():
    picture[:] = np.kron(RNG.integers(0, 255, (8, 8, 3)), np.ones((32, 32, 1)))


@pytest.fixture(autouse=True)
def identities(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """People are told apart by the picture they are given; the list says how often the costly vector was asked for."""
    asked: list[str] = []

    def identity(rgb: np.ndarray, box: Box) -> Floats:
        name = "a" if any((rgb == LOOKS[n]).all() for n in "aA") else "b"
        asked.append(name)
        return np.full(128, 0.0 if name == "a" else 1.0, np.float32)

    monkeypatch.setattr(landmarks, "identity", identity)
    return asked


# Blocks that the two share and blocks of their own: as alike as 7 % of strangers' crops are.
LOOKS["A"], LOOKS["B"] = (np.where(np.arange(256)[:, None, None] < 176, LOOKS["a"], LOOKS[own]) for own in "ab")
HERE, ELSEWHERE = (np.kron(RNG.integers(0, 255, (16, 16, 3)), np.ones((8, 8, 1))).astype(np.uint8) for _ in range(2))


def face(t: float, x: float, who: str) -> Face:
    return Face(t, (x, 100.0, 100.0, 100.0), 0.9, LOOKS[who], np.zeros((68, 2), np.float32))


def sizes(tracker: Tracker) -> list[int]:
    return [len(track.faces) for track in tracker.tracks()]


def test_one_person_moving_slowly_costs_no_identity(identities: list[str]) -> None:
    tracker = Tracker()
    for i in range(10):
        tracker.add([face(i * 0.5, 100 + i * 20, "a")], HERE)
    assert sizes(tracker) == [10]
    assert identities == []


def test_two_people_side_by_side_stay_two() -> None:
    tracker = Tracker()
    for i in range(6):
        tracker.add([face(i, 100, "a"), face(i, 400, "a")], HERE)
    assert sizes(tracker) == [6, 6]


def test_a_cut_to_somebody_else_in_the_same_place() -> None:
    tracker = Tracker()
    for i in range(8):
        tracker.add([face(i * 0.5, 100, "a" if i < 5 else "b")], HERE)
    assert sizes(tracker) == [5, 3]


def test_strangers_who_look_alike_are_two_after_a_cut(identities: list[str]) -> None:
    assert 0.6 < float(look(LOOKS["A"], 24) @ look(LOOKS["B"], 24)) < 0.8
    tracker = Tracker()
    for i in range(12):
        tracker.add([face(i * 0.5, 100, "A" if i < 6 else "B")], HERE if i < 6 else ELSEWHERE)
    assert sizes(tracker) == [6, 6]
    assert identities == ["a", "b"], "once a person"


def test_a_cut_to_the_same_person_is_still_one(identities: list[str]) -> None:
    tracker = Tracker()
    for i in range(12):
        tracker.add([face(i * 0.5, 100 if i < 6 else 130, "A")], HERE if i < 6 else ELSEWHERE)
    assert sizes(tracker) == [12]
    assert identities == []


@pytest.mark.parametrize("step", [30, 60, 110, 180])
@pytest.mark.parametrize("pair", ["ab", "AB"], ids=["unlike", "alike"])
def test_two_who_cross_stay_two(pair: str, step: int) -> None:
    """One walks behind the other, and is not seen where they overlap."""
    tracker, where = Tracker(), range(0, 1100, step)
    for i, x in enumerate(where):
        others = where[-1] - x
        seen = [face(i * 0.5, x, pair[0])]
        seen += [face(i * 0.5, others, pair[1])] if abs(others - x) > 60 else []
        tracker.add(seen, HERE)
    tracks = tracker.tracks()
    assert len(tracks) == 2
    assert [len(who(track)) for track in tracks] == [1, 1]


@pytest.mark.parametrize("step", [100, 150, 190])
def test_somebody_who_moves_fast_is_one_and_costs_no_identity(step: int, identities: list[str]) -> None:
    tracker = Tracker()
    for i in range(20):
        tracker.add([face(i * 0.5, 100 + step * (i % 5), "a")] if i % 5 else [], HERE)
    assert sizes(tracker) == [16]
    assert len(identities) <= 8


def test_leaving_and_coming_back_is_one_person(identities: list[str]) -> None:
    tracker = Tracker()
    for i in range(30):
        tracker.add([] if 10 <= i < 20 else [face(i * 0.5, 100 if i < 10 else 700, "a")], HERE)
    assert sizes(tracker) == [20]
    assert identities == ["a", "a"]


STEPS = st.lists(
    st.tuples(st.integers(0, 600), st.integers(0, 600), st.sampled_from(["", "a", "b", "ab"]), st.booleans()),
    max_size=25,
)


@given(steps=STEPS)
@settings(max_examples=60, deadline=None)
def test_whatever_they_do_nobody_is_lost_doubled_or_mixed_up(steps: list[tuple[int, int, str, bool]]) -> None:
    tracker = Tracker()
    given_in = []
    asked: list[Box] = []

    def identity(rgb: Rgb, box: Box) -> Floats:
        asked.append(box)
        return np.full(128, 0.0 if (rgb == LOOKS["a"]).all() else 1.0, np.float32)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(landmarks, "identity", identity)
        for i, (a, b, present, cut) in enumerate(steps):
            seen = [face(i * 0.5, x, name) for name, x in (("a", a), ("b", b)) if name in present]
            given_in += seen
            tracker.add(seen, ELSEWHERE if cut else HERE)
        tracks = tracker.tracks()
    assert sorted(id(f) for track in tracks for f in track.faces) == sorted(map(id, given_in))
    assert [track.number for track in tracks] == list(range(len(tracks)))
    for track in tracks:
        times = [f.t for f in track.faces]
        assert all(gap > 0 for gap in np.diff(times))
        assert len(who(track)) == 1
    assert len(asked) <= MOST_IDENTITIES


def who(track: FaceTrack) -> set[str]:
    return {name for f in track.faces for name, crop in LOOKS.items() if f.crop is crop}


def test_cutting_back_and_forth_gives_each_person_one_track() -> None:
    tracker = Tracker()
    for i in range(12):
        tracker.add([face(i, 100 + 300 * (i // 3 % 2), "ab"[i // 3 % 2])], HERE)
    assert sizes(tracker) == [6, 6]
    assert all(track.identity is not None for track in tracker.tracks())
    assert [track.number for track in tracker.tracks()] == [0, 1]


def test_times_within_a_track_ascend_after_joining() -> None:
    tracker = Tracker()
    for i in (0, 1, 2, 10, 11, 12, 13):
        tracker.add([face(i, 100 if i < 5 else 700, "a")], HERE)
    (track,) = tracker.tracks()
    assert [f.t for f in track.faces] == [0, 1, 2, 10, 11, 12, 13]


def test_a_picture_gives_one_track_a_face_and_no_identity(identities: list[str]) -> None:
    tracker = Tracker()
    tracker.add([face(0, x * 150, "a") for x in range(30)], HERE)
    assert sizes(tracker) == [1] * 30
    assert identities == []


def test_samples_far_apart_are_still_one_person(identities: list[str]) -> None:
    tracker = Tracker()
    for i in range(10):
        tracker.add([face(i * 40.0, 100, "a")], HERE)
    assert sizes(tracker) == [10]
    assert identities == []


def test_the_cost_of_telling_people_apart_is_bounded(identities: list[str]) -> None:
    tracker = Tracker()
    for i in range(100):
        tracker.add([face(i, 100 + 400 * (i % 3), "ab"[i % 2])], HERE)
    tracker.tracks()
    assert len(identities) <= MOST_IDENTITIES


@pytest.mark.parametrize(
    ("box", "reached"),
    [
        ((290, 100, 100, 100), True),
        ((310, 100, 100, 100), False),
        ((100, 100, 140, 140), True),
        ((100, 100, 60, 60), False),
    ],
)
def test_how_far_somebody_moves_between_two_samples(box: Box, reached: bool) -> None:
    assert near((100, 100, 100, 100), box) == near(box, (100, 100, 100, 100)) == reached


def test_a_flat_picture_looks_like_nothing() -> None:
    flat = look(np.full((64, 64, 3), 90, np.uint8), 16)
    assert float(flat @ flat) == 0
    assert float(look(HERE, 16) @ look(HERE // 2 + 40, 16)) > 0.99, "in other light"


def test_nothing_found() -> None:
    tracker = Tracker()
    tracker.add([], HERE)
    assert tracker.tracks() == ()


@pytest.mark.parametrize(
    ("a", "b", "share"),
    [
        ((0, 0, 10, 10), (0, 0, 10, 10), 1.0),
        ((0, 0, 10, 10), (5, 0, 10, 10), 1 / 3),
        ((0, 0, 10, 10), (10, 0, 10, 10), 0.0),
    ],
)
def test_overlap(a: Box, b: Box, share: float) -> None:
    assert overlap(a, b) == pytest.approx(share)
