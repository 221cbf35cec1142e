"""Two people, drawn into pictures, found and followed with everything real: the finder, the crops, the identities."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from PIL import Image

from models import faces, landmarks
from models.tracks import Tracker
from models.types import Box, FaceTrack, Floats, Frame, Rgb
from tests import need

SIDE = 300


@pytest.fixture(scope="module")
def stranger() -> Rgb:
    path = sorted(need.shared("synthetic_train").rglob("portrait_*"))[1]
    return np.asarray(Image.open(path).convert("RGB").resize((512, 512)), np.uint8)


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[Box]:
    """One entry for each identity vector that was taken."""
    real, boxes = landmarks.identity, []

    def identity(rgb: Rgb, box: Box) -> Floats:
        boxes.append(box)
        return real(rgb, box)

    monkeypatch.setattr(landmarks, "identity", identity)
    return boxes


def wall() -> Rgb:
    coarse = np.random.default_rng(3).integers(60, 160, (9, 16, 3), dtype=np.uint8)
    return np.asarray(cv2.resize(coarse, (1280, 400)), np.uint8)


def follow(pictures: list[Rgb]) -> tuple[FaceTrack, ...]:
    tracker = Tracker()
    for i, picture in enumerate(pictures):
        tracker.add(faces.find(Frame(picture, i * 0.5, i), faces.MOST_IN_FRAME), picture)
    return tracker.tracks()


@pytest.mark.parametrize("step", [70, 140])
def test_two_who_walk_past_each_other(portrait: Rgb, stranger: Rgb, asked: list[Box], step: int) -> None:
    """The one in front hides the other for a sample or two, and half of the face before and after."""
    front = portrait[:SIDE, 80 : 80 + SIDE]
    behind = np.asarray(cv2.resize(stranger, (SIDE, SIDE)), np.uint8)
    pictures = []
    for x in range(0, 1280 - SIDE + 1, step):
        picture = wall()
        picture[60 : 60 + SIDE, 1280 - SIDE - x : 1280 - x] = behind
        picture[40 : 40 + SIDE, x : x + SIDE] = front
        pictures.append(picture)
    people = [track for track in follow(pictures) if len(track.faces) > 2]
    assert len(people) == 2
    for track, direction in zip(people, (1, -1), strict=True):
        assert all(direction * moved > 0 for moved in np.diff([face.box[0] for face in track.faces]))
    assert len(asked) <= 6


def test_a_cut_to_somebody_else_in_the_same_place(portrait: Rgb, stranger: Rgb, asked: list[Box]) -> None:
    x, y, width, height = faces.find(Frame(stranger, 0.0, 0), 1)[0].box
    onto_hers = np.array([[84 / width, 0, 185 - 84 / width * x], [0, 112 / height, 63 - 112 / height * y]])
    placed = np.asarray(cv2.warpAffine(stranger, onto_hers, (512, 512), borderValue=(90, 90, 90)), np.uint8)
    people = follow([portrait] * 5 + [placed] * 5)
    assert [[face.t for face in track.faces] for track in people] == [[0, 0.5, 1, 1.5, 2], [2.5, 3, 3.5, 4, 4.5]]
    assert len(asked) == 2, "once a person"


def test_somebody_who_leaves_and_comes_back_elsewhere(portrait: Rgb, asked: list[Box]) -> None:
    pictures = []
    for x in [100] * 4 + [None] * 8 + [800] * 4:
        picture = wall()
        if x is not None:
            picture[40 : 40 + SIDE, x : x + SIDE] = portrait[:SIDE, 80 : 80 + SIDE]
        pictures.append(picture)
    (track,) = follow(pictures)
    assert len(track.faces) == 8
    assert len(asked) == 2
