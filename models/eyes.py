"""Follow the eyelids of known faces through glances: from each frame on, until the next finds the faces anew."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import cv2
import numpy as np

from models import align, landmarks, quality
from models.tracks import look
from models.types import Box, Face, FaceTrack, Floats, Frame, Glance, Grey

MOST_FOLLOWED = 2  # of a frame, the largest: .9 ms a glance each
SMALLEST_SIDE = 48.0  # px of the face in a glance; below, lids are a pixel or two
FACE_SIDE = 200.0  # px the face is scaled to: landmarks come in whole pixels
AROUND = 0.35  # of the face's side, kept on each side of it
ALIKE, THUMB = 0.6, 24  # correlation with the glance before, at so many pixels; below, it is somebody else or nobody


class Follower:
    """Hand it each frame's faces, then the glances up to the next; `with_lids` gives a track what was seen."""

    def __init__(self) -> None:
        self._all: list[_Followed] = []
        self._now: list[_Followed] = []
        self._width = 1

    def start(self, frame: Frame, found: Sequence[Face]) -> None:
        usable = sorted((face for face in found if face.usable), key=lambda face: -face.box[2] * face.box[3])
        self._now = [_Followed(face, landmarks.square_of(face.box)) for face in usable[:MOST_FOLLOWED]]
        self._all += self._now
        self._width = frame.rgb.shape[1]

    def add(self, glance: Glance) -> None:
        scale = glance.grey.shape[1] / self._width
        self._now = [one for one in self._now if one.seen(glance, scale)]

    def with_lids(self, track: FaceTrack) -> FaceTrack:
        seen = {id(one.face): tuple(one.lids) for one in self._all}
        return replace(track, faces=tuple(replace(face, lids=seen.get(id(face), ())) for face in track.faces))


@dataclass
class _Followed:
    face: Face
    start: Box  # in pixels of the frame, as of the next two
    points: Floats | None = None  # at the first glance
    moved: tuple[float, float] = (0.0, 0.0)
    before: Floats | None = None
    lids: list[tuple[float, float]] = field(default_factory=list)

    def seen(self, glance: Glance, scale: float) -> bool:
        """False when the face is lost: turned away, out of the picture, or somebody else in its place."""
        x, y, width, height = self.start
        box = (scale * (x + self.moved[0]), scale * (y + self.moved[1]), scale * width, scale * height)
        if max(box[2], box[3]) < SMALLEST_SIDE or not _inside(box, glance.grey):
            return False
        around, corner = _around(glance.grey, box)
        looks = look(around, THUMB)
        if self.before is not None and float(self.before @ looks) < ALIKE:
            return False
        zoom = FACE_SIDE / max(box[2], box[3])
        near = np.asarray(cv2.resize(around, None, fx=zoom, fy=zoom, interpolation=cv2.INTER_LINEAR), np.uint8)
        left, top = (np.array(box[:2]) - corner) * zoom
        found = landmarks.landmarks(near, (float(left), float(top), box[2] * zoom, box[3] * zoom))
        if quality.eye_share(found) < quality.NARROWEST_EYES:
            return False
        points = (found / zoom + corner) / scale
        if self.points is None:
            self.points = points.astype(np.float32)
        by = (points - self.points).mean(axis=0)
        self.moved, self.before = (float(by[0]), float(by[1])), looks
        self.lids.append((glance.t, aspect_ratio(found)))
        return True


def aspect_ratio(points: Floats) -> float:
    """Height of the eyes over their width, mean of both, from dlib's 68 points (Soukupova and Cech 2016)."""
    return sum(_of_eye(points[eye]) for eye in (align.LEFT_EYE, align.RIGHT_EYE)) / 2


def _of_eye(eye: Floats) -> float:
    """Six points around: the outer corner, two above, the inner corner, two below."""
    high = np.hypot(*(eye[1] - eye[5])) + np.hypot(*(eye[2] - eye[4]))
    return float(high / (2 * max(float(np.hypot(*(eye[0] - eye[3]))), 1.0)))


def _inside(box: Box, grey: Grey) -> bool:
    """The middle of the face lies in the picture."""
    x, y = box[0] + box[2] / 2, box[1] + box[3] / 2
    return bool(0 <= x < grey.shape[1] and 0 <= y < grey.shape[0])


def _around(grey: Grey, box: Box) -> tuple[Grey, Floats]:
    """The face with a margin, and where its upper left corner lies."""
    x, y, width, height = box
    margin = AROUND * max(width, height)
    left, top = max(0, int(x - margin)), max(0, int(y - margin))
    right, bottom = int(x + width + margin) + 1, int(y + height + margin) + 1
    return grey[top:bottom, left:right], np.array([left, top], np.float32)
