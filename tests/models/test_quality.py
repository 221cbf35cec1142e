from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models import dlibfaces, faces, quality
from models.types import Face, Floats, Frame, Rgb

FACE_BOX = (370, 126, 168, 224)  # of the portrait at twice its size


@pytest.fixture(scope="module")
def large(portrait: Rgb) -> Rgb:
    return np.asarray(cv2.resize(portrait, None, fx=2, fy=2, interpolation=cv2.INTER_CUBIC), np.uint8)


@pytest.fixture(scope="module")
def face(large: Rgb) -> Face:
    (face,) = faces.find(Frame(large, 0.0, 0))
    return face


def cut(rgb: Rgb, edge: str, share: float) -> Rgb:
    """The picture without that share of the face, as if it reached beyond that edge."""
    x, y, width, height = FACE_BOX
    part = {
        "left": rgb[:, int(x + share * width) :],
        "right": rgb[:, : int(x + (1 - share) * width)],
        "top": rgb[int(y + share * height) :],
        "bottom": rgb[: int(y + (1 - share) * height)],
    }[edge]
    return np.ascontiguousarray(part)


@pytest.mark.parametrize("edge", ["left", "right", "top", "bottom"])
def test_a_face_that_touches_the_border_is_judged(large: Rgb, edge: str) -> None:
    (found,) = faces.find(Frame(cut(large, edge, 0.1), 0.0, 0), 1)
    assert found.usable


@pytest.mark.parametrize("share", [0.4, 0.5, 0.6])
@pytest.mark.parametrize("edge", ["left", "right", "top", "bottom"])
def test_half_a_face_is_not(large: Rgb, edge: str, share: float) -> None:
    assert not any(found.usable for found in faces.find(Frame(cut(large, edge, share), 0.0, 0), 1))


def test_a_face_seen_from_the_side_is_not(face: Face) -> None:
    middle = face.landmarks.mean(axis=0)
    for squeeze, reasons in ((0.8, ()), (0.3, ("occluded_or_profile",))):
        turned = middle + (face.landmarks - middle) * np.array([squeeze, 1], np.float32)
        assert quality.reasons(face.crop, face.box, np.asarray(turned, np.float32), 0.1) == reasons


@given(
    angle=st.floats(-np.pi, np.pi), scale=st.floats(0.5, 20), x=st.floats(-1000, 1000), y=st.floats(-1000, 1000),
)  # fmt: skip
def test_pose_does_not_depend_on_place_size_and_tilt(angle: float, scale: float, x: float, y: float) -> None:
    points: Floats = np.random.default_rng(0).uniform(0, 100, (68, 2)).astype(np.float32)
    points[36:42], points[42:48], points[48:68] = (30, 40), (70, 40), (50, 80)
    turn = scale * np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    moved = np.asarray(points @ turn + (x, y), np.float32)
    assert quality.eye_share(moved) == pytest.approx(quality.eye_share(points), rel=0.01)


@pytest.mark.parametrize(("side", "reasons"), [(79.9, ("face_too_small",)), (80.0, ())])
def test_the_least_size(face: Face, side: float, reasons: tuple[str, ...]) -> None:
    assert quality.reasons(face.crop, (0.0, 0.0, side * 0.8, side), face.landmarks, 0.1) == reasons
    assert quality.reasons(face.crop, (0.0, 0.0, side, side * 0.8), face.landmarks, 0.1) == reasons


def test_all_that_speaks_against_a_face_is_told(face: Face) -> None:
    blurred = np.asarray(cv2.GaussianBlur(face.crop, (0, 0), 9), np.uint8)
    assert quality.reasons(blurred, face.box, face.landmarks, 0.9) == ("blurred", "occluded_or_profile")


def test_sharpness_falls_with_blur(face: Face) -> None:
    blurred = [np.asarray(cv2.GaussianBlur(face.crop, (0, 0), sigma), np.uint8) for sigma in (1, 2, 4, 8)]
    measured = [quality.sharpness(crop) for crop in (face.crop, *blurred)]
    assert measured == sorted(measured, reverse=True)
    assert measured[0] > quality.SHARPEST_BLUR > measured[-1]


def test_a_finder_that_tells_no_points_leaves_the_pose_to_judge(large: Rgb, face: Face) -> None:
    assert quality.reasons(face.crop, face.box, face.landmarks, None) == ()
    assert all(found.usable for found in faces.find(Frame(large, 0.0, 0), 1, finder=dlibfaces.hog))


@pytest.mark.parametrize(("width", "height", "low"), [(239, 500, True), (500, 239, True), (240, 240, False)])
def test_low_resolution(width: int, height: int, low: bool) -> None:
    assert quality.low_resolution(width, height) == low
