from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from models import align, centerface, faces, landmarks, quality
from models.decode import DecodeLimits, decode
from models.types import Face, Floats, Frame, Rgb
from tests.models.media import beside, scaled


@pytest.fixture(scope="module")
def face(portrait: Rgb) -> Face:
    (face,) = faces.find(Frame(portrait, 0.0, 0))
    return face


def test_the_portraits_face(face: Face) -> None:
    x, y, width, height = face.box
    assert (x, y, width, height) == pytest.approx((185, 63, 84, 112), abs=6)
    assert face.found > 0.7
    assert face.usable
    assert face.crop.shape == (faces.CROP_SIDE, faces.CROP_SIDE, 3)
    assert face.crop.dtype == np.uint8
    assert face.landmarks.shape == (68, 2)


def test_landmarks_are_in_dlibs_order(portrait: Rgb, face: Face) -> None:
    chin, nose_tip, left_eye, right_eye = face.landmarks[8], face.landmarks[30], face.landmarks[36], face.landmarks[45]
    mouth_left, mouth_right, inner_left, inner_right = (face.landmarks[i] for i in (48, 54, 60, 64))
    assert chin[1] > mouth_left[1] > nose_tip[1] > left_eye[1]
    assert left_eye[0] < nose_tip[0] < right_eye[0]
    assert mouth_left[0] <= inner_left[0] < inner_right[0] <= mouth_right[0]
    assert face.landmarks[51][1] <= face.landmarks[62][1] <= face.landmarks[66][1] <= face.landmarks[57][1]


def test_crop_is_upright_whatever_the_head_does(portrait: Rgb, face: Face) -> None:
    turn = cv2.getRotationMatrix2D((224.0, 124.0), 20, 1)
    turned = np.asarray(cv2.warpAffine(portrait, turn, (512, 512), borderMode=cv2.BORDER_REFLECT_101), np.uint8)
    points = np.asarray(cv2.transform(face.landmarks[None], turn)[0], np.float32)
    crop = align.crop(turned, align.square_of_landmarks(points))
    assert np.abs(crop.astype(float) - face.crop).mean() < 6


def test_crop_does_not_depend_on_the_size_of_the_picture(portrait: Rgb, face: Face) -> None:
    large = np.asarray(cv2.resize(portrait, None, fx=5, fy=5, interpolation=cv2.INTER_CUBIC), np.uint8)
    crop = align.crop(large, align.square_of_landmarks(face.landmarks * 5))
    assert np.abs(crop.astype(float) - face.crop).mean() < 6


@pytest.mark.parametrize("box", [(-200.0, -200.0, 90.0, 90.0), (480.0, 480.0, 300.0, 300.0), (0.0, 0.0, 0.0, 0.0)])
def test_crop_of_a_box_outside_the_picture(portrait: Rgb, box: tuple[float, float, float, float]) -> None:
    assert align.crop(portrait, align.square_of_box(box)).shape == (256, 256, 3)


@pytest.mark.parametrize("value", [0, 128, 255])
def test_no_face_in_a_flat_picture(value: int) -> None:
    assert faces.find(Frame(np.full((480, 640, 3), value, np.uint8), 0.0, 0)) == []


def test_thirty_faces_of_one_picture(portrait: Rgb) -> None:
    head = portrait[10:210, 125:325]
    found = faces.find(Frame(np.tile(head, (5, 6, 1)), 0.0, 0))
    assert len(found) == 30


def test_most_takes_the_largest(portrait: Rgb) -> None:
    small = np.zeros_like(portrait)
    small[:256, :256] = scaled(portrait, 0.5)
    (found,) = faces.find(Frame(beside(small, portrait), 0.0, 0), most=1)
    assert found.box[0] > 512


def test_a_small_face_is_found_at_the_second_size(portrait: Rgb) -> None:
    wall = np.full((1280, 1280, 3), 120, np.uint8)
    wall[600:728, 600:728] = scaled(portrait, 0.25)
    (found,) = faces.find(Frame(wall, 0.0, 0))
    assert found.reasons == ("face_too_small",)
    assert centerface.find_at(wall, centerface.FIRST_SIDE) == []


@pytest.mark.parametrize(("height", "width", "factor"), [(3500, 4200, 1.2), (512, 3512, 1.0)], ids=["large", "wide"])
def test_a_face_of_a_large_still_is_measured_at_its_size(
    tmp_path: Path, portrait: Rgb, limits: DecodeLimits, height: int, width: int, factor: float
) -> None:
    wall = np.full((height, width, 3), 120, np.uint8)
    head = np.asarray(cv2.resize(portrait, None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA), np.uint8)
    wall[height - len(head) :, 1500 : 1500 + len(head)] = head
    (found,) = faces.find(still(tmp_path, wall, limits))
    assert found.usable
    assert max(found.box[2:]) == pytest.approx(112 * factor * min(1, 4096 / width), rel=0.15)


def test_a_wall_of_large_portraits(tmp_path: Path, portrait: Rgb, limits: DecodeLimits) -> None:
    head = np.asarray(cv2.resize(portrait, (700, 700)), np.uint8)
    found = faces.find(still(tmp_path, np.tile(head, (5, 6, 1)), limits))
    assert len(found) == 30
    assert all(face.usable for face in found)


def still(folder: Path, rgb: Rgb, limits: DecodeLimits) -> Frame:
    Image.fromarray(rgb).save(folder / "a", "JPEG", quality=90)
    (frame,) = decode(folder / "a", limits, 1)
    return frame


def test_the_gate_measures_the_longer_side(face: Face) -> None:
    assert quality.reasons(face.crop, (0, 0, 79, 79), face.landmarks, 0.1) == ("face_too_small",)
    assert quality.reasons(face.crop, (0, 0, 65, 81), face.landmarks, 0.1) == ()


def test_blurred_face_is_turned_down(portrait: Rgb) -> None:
    blurred = np.asarray(cv2.GaussianBlur(portrait, (0, 0), 5), np.uint8)
    found = faces.find(Frame(blurred, 0.0, 0))
    assert found
    assert all("blurred" in face.reasons for face in found)


def test_landmark_models_that_disagree_mean_a_covered_face(face: Face) -> None:
    assert "occluded_or_profile" in quality.reasons(face.crop, (0, 0, 200, 200), face.landmarks, strain=0.9)
    profile = face.landmarks * np.array([0.3, 1], np.float32)
    assert "occluded_or_profile" in quality.reasons(face.crop, (0, 0, 200, 200), profile, strain=0.1)


def test_identity_tells_the_same_person(portrait: Rgb, face: Face) -> None:
    mirrored = np.ascontiguousarray(portrait[:, ::-1])
    (other,) = faces.find(Frame(mirrored, 0.0, 0))
    a, b = (faces.identity(rgb, f) for rgb, f in ((portrait, face), (mirrored, other)))
    assert a.shape == (128,)
    assert float(np.linalg.norm(a - b)) < landmarks.SAME_PERSON


def test_reported_points_agree_with_the_landmarks(portrait: Rgb, face: Face) -> None:
    five: Floats = centerface.find(portrait)[0].points
    assert np.abs(five[2] - face.landmarks[30]).max() < 10
