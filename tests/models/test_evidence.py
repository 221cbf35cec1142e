from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models import calibrate, ensemble, evidence
from models.evidence import Album
from models.types import Face, FaceTrack, Frame, Rgb, Score, Segment
from tests.models.conftest import FLAGGING

CALIBRATION = calibrate.load(FLAGGING)
HEAT = np.ones((8, 8), np.float32)


def noise(seed: int, width: int = 256, height: int = 256) -> Rgb:
    """Costs more bytes as a JPEG than any photograph."""
    return np.random.default_rng(seed).integers(0, 255, (height, width, 3), np.uint8)


def face(t: float, reasons: tuple[str, ...] = ()) -> Face:
    return Face(t, (10, 10, 90, 90), 1.0, noise(round(t * 10)), np.zeros((68, 2), np.float32), reasons)


def person(number: int, scores: list[float]) -> tuple[FaceTrack, Score]:
    track = FaceTrack(number, tuple(face(float(t)) for t in range(len(scores))))
    return track, Score(max(scores), tuple(scores), (HEAT,) * len(scores))


def judged(people: list[tuple[FaceTrack, Score]], album: Album | None = None) -> tuple[Segment, ...]:
    said: list[dict[str, Any]] = [{"meso4": score} for _, score in people]
    combined = [ensemble.combine({"meso4": score.p_fake}, CALIBRATION) for _, score in people]
    return evidence.segments([track for track, _ in people], combined, said, CALIBRATION, album or Album())


def album_of(track: FaceTrack) -> Album:
    album = Album()
    for found in track.faces:
        album.add(Frame(noise(1, 640, 360), found.t, 0), [found])
    return album


def size(segments: tuple[Segment, ...]) -> int:
    shown = [face for segment in segments for face in segment.frames]
    frames = {face.t: face.frame for face in shown if face.frame}
    faces = sum(len(face.face) + len(face.heatmap or b"") for face in shown)
    return faces + sum(len(frame.jpeg) for frame in frames.values())


def test_the_timeline_has_every_face_and_the_pictures_the_loudest() -> None:
    scores = [0.1 + 0.04 * i for i in range(20)]
    (segment,) = judged([person(0, scores)])
    assert [t for t, _ in segment.timeline] == [float(t) for t in range(20)]
    assert [score for _, score in segment.timeline] == sorted(score for _, score in segment.timeline)
    assert [shown.t for shown in segment.frames] == [float(t) for t in range(19, 7, -1)]


def test_the_loudest_bring_their_frame() -> None:
    track, score = person(0, [0.1 + 0.04 * i for i in range(20)])
    (segment,) = judged([(track, score)], album_of(track))
    assert [shown.frame is not None for shown in segment.frames] == [True] * 6 + [False] * 6
    assert segment.frames[0].frame is not None
    assert (segment.frames[0].frame.width, segment.frames[0].frame.height) == (640, 360)


def test_two_people_of_one_frame_share_it() -> None:
    people = [person(n, [0.9 - n / 100]) for n in range(2)]
    first, second = judged(people, album_of(people[0][0]))
    assert first.frames[0].frame is second.frames[0].frame is not None


def test_a_frame_without_a_usable_face_is_not_kept_nor_one_whose_time_is_not_its_own() -> None:
    album = Album()
    album.add(Frame(noise(1), 0.0, 0), [])
    album.add(Frame(noise(1), 1.0, 1), [face(1.0, ("blurred",))])
    for index in (2, 3):
        album.add(Frame(noise(1), 2.0, index), [face(2.0)])
    assert [album.at(t) for t in (0.0, 1.0, 2.0, 9.0)] == [None] * 4


def test_a_crowd_stays_within_the_budget_and_the_lowest_go_first() -> None:
    people = [person(n, [0.2 + n / 100]) for n in range(60)]
    segments = judged(people, album_of(people[0][0]))
    assert len(segments) == 60
    assert evidence.BUDGET * 0.95 < size(segments) <= evidence.BUDGET
    kept = [bool(segment.frames) for segment in segments]
    assert kept == sorted(kept, reverse=True), "those who score higher are seen"
    assert False in kept
    assert all(segment.timeline for segment in segments), "their numbers are told all the same"


@given(st.lists(st.floats(0, 1), min_size=1, max_size=400), st.integers(1, 120))
def test_thinning_keeps_the_peaks(scores: list[float], most: int) -> None:
    points = list(enumerate(scores))
    thin = evidence.thinned([(float(t), score) for t, score in points], most)
    assert len(thin) == min(most, len(points))
    assert max(score for _, score in thin) == max(scores)
    assert [t for t, _ in thin] == sorted({t for t, _ in thin})


def test_an_album_of_a_whole_clip_is_small(portrait: Rgb) -> None:
    """100 frames, the most that are looked at, of a busy photograph: far below the 10 MiB a worker may grow by."""
    frame = np.ascontiguousarray(np.tile(portrait, (2, 3, 1))[:720, :1280])
    album = Album()
    album.add(Frame(frame, 0.0, 0), [face(0.0)])
    kept = album.at(0.0)
    assert kept is not None
    assert len(kept.jpeg) * 100 == pytest.approx(4e6, rel=0.75)
