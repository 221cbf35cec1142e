from __future__ import annotations

import cv2
import numpy as np
import pytest

from models import faces
from models.eyes import Follower, aspect_ratio
from models.types import FaceTrack, Frame, Glance, Grey, Rgb
from tests.models.media import beside, eyes_shut


def grey(rgb: Rgb, size: float = 1.0) -> Grey:
    small = cv2.resize(rgb, None, fx=size, fy=size, interpolation=cv2.INTER_AREA)
    return np.asarray(cv2.cvtColor(small, cv2.COLOR_RGB2GRAY), np.uint8)


def followed(rgb: Rgb, glances: list[Grey]) -> list[list[float]]:
    """The ratios of each face of the frame, largest first."""
    frame = Frame(rgb, 0.0, 0)
    found = faces.find(frame)
    follower = Follower()
    follower.start(frame, found)
    for number, picture in enumerate(glances):
        follower.add(Glance(picture, number / 15))
    track = follower.with_lids(FaceTrack(0, tuple(found)))
    return [[ratio for _, ratio in face.lids] for face in track.faces]


def shut(portrait: Rgb) -> Rgb:
    (face,) = faces.find(Frame(portrait, 0.0, 0))
    return eyes_shut(portrait, face.landmarks)


@pytest.mark.parametrize(("height", "ratio"), [(0.0, 0.0), (6.0, 0.3), (8.0, 0.4)])
def test_the_ratio_is_height_over_width(height: float, ratio: float) -> None:
    """Whatever the size, the place and the angle of the head."""
    up = height / 2
    eye = np.array([[-10, 0], [-4, -up], [4, -up], [10, 0], [4, up], [-4, up]], np.float32)
    points = np.zeros((68, 2), np.float32)
    points[36:42], points[42:48] = eye, eye + np.array([40, 0], np.float32)
    assert aspect_ratio(points) == pytest.approx(ratio)
    turned = np.array([[0.8, -0.6], [0.6, 0.8]], np.float32)
    assert aspect_ratio(3 * points @ turned + 100) == pytest.approx(ratio, abs=1e-5)


@pytest.mark.parametrize("size", [1.0, 0.6])
def test_lids_that_close_are_seen(portrait: Rgb, size: float) -> None:
    opened, closed = grey(portrait, size), grey(shut(portrait), size)
    (ratios,) = followed(portrait, [opened, opened, closed, closed, opened])
    assert len(ratios) == 5
    assert max(ratios[2:4]) < 0.5 * min(ratios[0], ratios[1], ratios[4])


def test_a_head_that_moves_is_followed(portrait: Rgb) -> None:
    moved = [np.roll(grey(portrait), 4 * n, axis=1) for n in range(15)]
    (ratios,) = followed(portrait, moved)
    assert len(ratios) == 15
    assert min(ratios) > 0.8 * max(ratios)


def test_of_two_people_each_has_their_own(portrait: Rgb) -> None:
    mirrored = np.ascontiguousarray(portrait[:, ::-1])
    both = beside(portrait, mirrored)
    one_shut = beside(shut(portrait), mirrored)
    apart = followed(both, [grey(both, 0.6), grey(one_shut, 0.6)])
    assert sorted(ratios[1] < 0.5 * ratios[0] for ratios in apart) == [False, True]


def test_a_crowd_costs_no_more_than_two(portrait: Rgb) -> None:
    crowd = beside(beside(portrait, portrait), portrait)
    assert sorted(map(len, followed(crowd, [grey(crowd)] * 3))) == [0, 3, 3]


def test_who_is_gone_is_not_followed_on(portrait: Rgb) -> None:
    wall = np.full(portrait.shape[:2], 96, np.uint8)
    (ratios,) = followed(portrait, [grey(portrait), wall, grey(portrait)])
    assert len(ratios) == 1, "who comes back is found anew by the next frame"


def test_lids_of_a_tiny_face_are_not_measured(portrait: Rgb) -> None:
    assert followed(portrait, [grey(portrait, 0.4)]) == [[]]


def test_glances_without_a_frame_before_them_show_nobody() -> None:
    follower = Follower()
    follower.add(Glance(np.zeros((90, 160), np.uint8), 0.0))
    assert follower.with_lids(FaceTrack(0, ())).faces == ()
