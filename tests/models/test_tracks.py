from __future__ import annotations

import numpy as np
import pytest

from models import landmarks
from models.tracks import MOST_IDENTITIES, Tracker, overlap
from models.types import Box, Face, Floats

RNG = np.random.default_rng(0)
LOOKS = {name: RNG.integers(0, 255, (256, 256, 3), dtype=np.uint8) for name in "ab"}
for look in LOOKS.values():
    look[:] = np.kron(RNG.integers(0, 255, (8, 8, 3)), np.ones((32, 32, 1)))


@pytest.fixture(autouse=True)
def identities(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """People are told apart by the picture they are given; the list says how often the costly vector was asked for."""
    asked: list[str] = []

    def identity(rgb: np.ndarray, box: Box) -> Floats:
        name = "a" if (rgb == LOOKS["a"]).all() else "b"
        asked.append(name)
        return np.full(128, 0.0 if name == "a" else 1.0, np.float32)

    monkeypatch.setattr(landmarks, "identity", identity)
    return asked


def face(t: float, x: float, who: str) -> Face:
    return Face(t, (x, 100.0, 100.0, 100.0), 0.9, LOOKS[who], np.zeros((68, 2), np.float32))


def sizes(tracker: Tracker) -> list[int]:
    return [len(track.faces) for track in tracker.tracks()]


def test_one_person_moving_slowly_costs_no_identity(identities: list[str]) -> None:
    tracker = Tracker()
    for i in range(10):
        tracker.add([face(i * 0.5, 100 + i * 20, "a")])
    assert sizes(tracker) == [10]
    assert identities == []


def test_two_people_side_by_side_stay_two() -> None:
    tracker = Tracker()
    for i in range(6):
        tracker.add([face(i, 100, "a"), face(i, 400, "a")])
    assert sizes(tracker) == [6, 6]


def test_a_cut_to_somebody_else_in_the_same_place() -> None:
    tracker = Tracker()
    for i in range(8):
        tracker.add([face(i * 0.5, 100, "a" if i < 5 else "b")])
    assert sizes(tracker) == [5, 3]


def test_cutting_back_and_forth_gives_each_person_one_track() -> None:
    tracker = Tracker()
    for i in range(12):
        tracker.add([face(i, 100 + 300 * (i // 3 % 2), "ab"[i // 3 % 2])])
    assert sizes(tracker) == [6, 6]
    assert all(track.identity is not None for track in tracker.tracks())
    assert [track.number for track in tracker.tracks()] == [0, 1]


def test_times_within_a_track_ascend_after_joining() -> None:
    tracker = Tracker()
    for i in (0, 1, 2, 10, 11, 12, 13):
        tracker.add([face(i, 100 if i < 5 else 700, "a")])
    (track,) = tracker.tracks()
    assert [f.t for f in track.faces] == [0, 1, 2, 10, 11, 12, 13]


def test_a_picture_gives_one_track_a_face_and_no_identity(identities: list[str]) -> None:
    tracker = Tracker()
    tracker.add([face(0, x * 150, "a") for x in range(30)])
    assert sizes(tracker) == [1] * 30
    assert identities == []


def test_samples_far_apart_are_still_one_person(identities: list[str]) -> None:
    tracker = Tracker()
    for i in range(10):
        tracker.add([face(i * 40.0, 100, "a")])
    assert sizes(tracker) == [10]
    assert identities == []


def test_the_cost_of_telling_people_apart_is_bounded(identities: list[str]) -> None:
    tracker = Tracker()
    for i in range(100):
        tracker.add([face(i, 100 + 400 * (i % 3), "ab"[i % 2])])
    tracker.tracks()
    assert len(identities) <= MOST_IDENTITIES


def test_nothing_found() -> None:
    tracker = Tracker()
    tracker.add([])
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
