from __future__ import annotations

import logging
from concurrent.futures import ThreadPoolExecutor

import cv2
import dlib
import numpy as np
import pytest

from models import centerface, dlibfaces, faces, landmarks
from models.tracks import overlap
from models.types import Frame, Rgb
from tests.models.media import scaled

SAME_FACE = 0.7  # intersection over union with CenterFace's box; .90 is what CenterFace at two sizes reaches


@pytest.fixture(autouse=True)
def warned_anew() -> None:
    dlibfaces._warn_without_cuda.cache_clear()


def test_hog_finds_the_face_that_centerface_finds(portrait: Rgb) -> None:
    (usual,) = faces.find(Frame(portrait, 0.0, 0))
    (face,) = faces.find(Frame(portrait, 0.0, 0), finder=dlibfaces.hog)
    assert overlap(face.box, usual.box) > SAME_FACE
    assert face.usable
    assert np.abs(face.crop.astype(float) - usual.crop).mean() < 10


def test_cnn_finds_it_too_and_says_what_it_needs(portrait: Rgb, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        (found,) = dlibfaces.cnn(portrait[40:200, 130:330])
        dlibfaces.cnn(portrait[:40, :40])
    x, y, width, height = found.box
    assert overlap((x + 130, y + 40, width, height), centerface.find(portrait)[0].box) > 0.5
    assert caplog.text.count("without CUDA") == (0 if dlib.DLIB_USE_CUDA else 1)


def test_boxes_are_in_pixels_of_the_picture_whatever_its_size(portrait: Rgb) -> None:
    large = np.asarray(cv2.resize(portrait, None, fx=3, fy=3, interpolation=cv2.INTER_CUBIC), np.uint8)
    (small_box,), (large_box,) = ([f.box for f in dlibfaces.hog(rgb)] for rgb in (portrait, large))
    assert large_box == pytest.approx([3 * n for n in small_box], rel=0.2), "its sizes go up by a sixth"


def test_the_second_size_finds_what_the_first_does_not(portrait: Rgb) -> None:
    wall = np.full((1280, 1280, 3), 120, np.uint8)
    wall[300:812, 300:812] = portrait
    assert dlibfaces._find_at(wall, "hog", dlibfaces.FIRST_SIDE) == []
    box = (485.0, 363.0, 84.0, 112.0)
    assert any(overlap(found.box, box) > SAME_FACE for found in dlibfaces.hog(wall)), "and a flag, taken for a face"


def test_nothing_to_find(portrait: Rgb) -> None:
    assert dlibfaces.hog(np.full((480, 640, 3), 127, np.uint8)) == []
    assert dlibfaces.hog(scaled(portrait, 0.25)) == [], "a face too small to be judged is not looked for"


def test_a_face_at_the_edge(portrait: Rgb) -> None:
    """face_recognition cuts its squares at the edge: what is found must still be a box with a crop."""
    cut = np.ascontiguousarray(portrait[60:, 150:])
    for face in faces.find(Frame(cut, 0.0, 0), finder=dlibfaces.hog):
        assert face.crop.shape == (faces.CROP_SIDE, faces.CROP_SIDE, 3)
        assert min(face.box[2:]) > 0


def test_threads_share_the_finder(portrait: Rgb) -> None:
    with ThreadPoolExecutor(4) as pool:
        boxes = list(pool.map(lambda _: dlibfaces.hog(portrait)[0].box, range(12)))
    assert len(set(boxes)) == 1


def test_a_box_becomes_dlibs_square_and_back() -> None:
    square = (100.0, 50.0, 80.0, 80.0)
    assert landmarks.square_of(landmarks.box_of(square)) == pytest.approx(square)
