from __future__ import annotations

import cv2
import numpy as np
import pytest

from models import faces
from models.training import crops, self_blend
from models.types import Floats, Rgb

SIDE = 256


@pytest.fixture(scope="module")
def face(portrait: Rgb) -> tuple[Rgb, Floats]:
    rgb, landmarks = crops.cut_with_landmarks(portrait)
    assert landmarks is not None
    return rgb, landmarks


def pairs(face: tuple[Rgb, Floats], count: int = 30) -> list[self_blend.Pair]:
    return [self_blend.self_blend(*face, np.random.default_rng(seed)) for seed in range(count)]


def test_landmarks_are_those_of_the_crop(portrait: Rgb, face: tuple[Rgb, Floats]) -> None:
    (found,) = faces.locate(cv2.copyMakeBorder(face[0], 40, 40, 40, 40, cv2.BORDER_REFLECT_101))[:1]
    assert np.abs(found.landmarks - 40 - face[1]).mean() < 5


def test_the_mask_is_where_pixels_changed(face: tuple[Rgb, Floats]) -> None:
    changes = []
    for pair in pairs(face):
        gap = np.abs(pair.fake.astype(int) - pair.genuine).max(axis=2)
        assert pair.mask.dtype == np.float32
        assert 0 <= pair.mask.min() <= pair.mask.max() <= 1
        assert not gap[pair.mask == 0].any()
        changes.append((gap[pair.mask > 0.5] > 0).mean() if (pair.mask > 0.5).any() else 1.0)
    assert np.median(changes) > 0.8


def test_nothing_changes_far_from_the_face(face: tuple[Rgb, Floats]) -> None:
    points = face[1].copy()
    points[17:27, 1] -= 0.45 * (points[8, 1] - points[19:25, 1].min())
    reach = np.zeros((SIDE, SIDE), np.uint8)
    cv2.fillConvexPoly(reach, cv2.convexHull(points.astype(np.int32)), (1,))
    wide = 2 * int(0.1 * SIDE) + 1  # shaken corners, bent edges
    outside = cv2.dilate(reach, np.ones((wide, wide), np.uint8)) == 0
    assert outside.mean() > 0.05
    for pair in pairs(face):
        assert (pair.fake[outside] == pair.genuine[outside]).all()


def test_the_same_seed_makes_the_same_pair_and_another_another(face: tuple[Rgb, Floats]) -> None:
    first, again, other = (self_blend.self_blend(*face, np.random.default_rng(seed)) for seed in (5, 5, 6))
    assert (first.fake == again.fake).all()
    assert (first.mask == again.mask).all()
    assert (first.fake != other.fake).any()


def test_hulls_differ_in_size_and_lie_in_the_face(face: tuple[Rgb, Floats]) -> None:
    areas = {
        name: float(np.mean([self_blend.hull(face[1], SIDE, np.random.default_rng(s), name).mean() for s in range(9)]))
        for name in self_blend.HULLS
    }
    assert areas["mouth"] < areas["eyes"] < areas["inner face"] < areas["face"] < areas["face and forehead"] < 0.9
    assert min(areas.values()) > 0.005


def test_another_face_takes_the_place_of_this_one(face: tuple[Rgb, Floats]) -> None:
    donor = np.ascontiguousarray(np.roll(face[0], 10, axis=1)[..., ::-1])
    moved = face[1] + np.array([10, 0], np.float32)
    for seed in range(10):
        pair = self_blend.swapped(donor, moved, *face, np.random.default_rng(seed))
        assert (pair.genuine == face[0]).all()
        assert not np.abs(pair.fake.astype(int) - pair.genuine)[pair.mask == 0].any()
