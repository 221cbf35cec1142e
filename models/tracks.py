"""Faces over frames to one FaceTrack per person.

Faces that overlap from frame to frame belong together while they look alike; where they do not (a cut to somebody
else in the same place) and where a face turns up anew, the identity vector decides. It costs 126 ms, so a track's is
taken once, from the crop, and only when there is something to decide.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from models import landmarks
from models.types import Box, Face, FaceTrack, Floats

OVERLAP = 0.25  # intersection over union
LONGEST_GAP = 3.0  # seconds a face may be out of sight and still be followed by its place
ALIKE = 0.6  # correlation of two crops at 24 px; below, the identity vector is asked
THUMB = 24
FEWEST_FRAMES = 2
MOST_IDENTITIES = 30  # of a clip, four seconds: behind them, who cannot be told apart counts as somebody else
# Where the face lies in an aligned crop, for dlib.
_FACE_IN_CROP: Box = (32.0, 32.0, 192.0, 192.0)


class Tracker:
    """Hand it the faces of each frame in order of time; `tracks` gives the people."""

    def __init__(self) -> None:
        self._people: list[_Person] = []
        self._frame = 0
        self._asked = 0

    def add(self, faces: Sequence[Face]) -> None:
        self._frame += 1
        free = [person for person in self._people if faces and self._in_sight(person, faces[0].t)]
        pairs = [(overlap(person.last.box, face.box), person, i) for person in free for i, face in enumerate(faces)]
        taken: set[int] = set()
        for share, person, i in sorted(pairs, key=lambda pair: -pair[0]):
            if share < OVERLAP:
                break
            if i not in taken and person.seen < self._frame and self._looks_like(person, faces[i]):
                person.faces.append(faces[i])
                person.seen = self._frame
                taken.add(i)
        self._people.extend(_Person([face], self._frame) for i, face in enumerate(faces) if i not in taken)

    def tracks(self) -> tuple[FaceTrack, ...]:
        """In order of first appearance. Two faces of one frame are never the same person."""
        if any(len(person.faces) > 1 for person in self._people):
            self._people = self._merged()
        people = sorted(self._people, key=lambda person: (person.faces[0].t, person.faces[0].box[0]))
        return tuple(FaceTrack(number, tuple(person.faces), person.identity) for number, person in enumerate(people))

    def _in_sight(self, person: _Person, t: float) -> bool:
        """Samples of a long clip lie further apart than anybody stays out of sight: then frames count."""
        return t - person.last.t <= LONGEST_GAP or self._frame - person.seen <= FEWEST_FRAMES

    def _looks_like(self, person: _Person, face: Face) -> bool:
        if alike(person.last.crop, face.crop) >= ALIKE:
            return True
        return self._same(person, _Person([face], self._frame))

    def _merged(self) -> list[_Person]:
        kept: list[_Person] = []
        for person in sorted(self._people, key=lambda person: -len(person.faces)):
            apart = [other for other in kept if not other.together_with(person)]
            same = next((other for other in apart if self._same(other, person)), None)
            if same:
                same.faces = sorted([*same.faces, *person.faces], key=lambda face: face.t)
            else:
                kept.append(person)
        return kept

    def _same(self, one: _Person, other: _Person) -> bool:
        a, b = self._identity(one), self._identity(other)
        return a is not None and b is not None and float(np.linalg.norm(a - b)) < landmarks.SAME_PERSON

    def _identity(self, person: _Person) -> Floats | None:
        if person.identity is None and self._asked < MOST_IDENTITIES:
            self._asked += 1
            best = max(person.faces, key=lambda face: (face.usable, face.found))
            person.identity = landmarks.identity(best.crop, _FACE_IN_CROP)
        return person.identity


@dataclass
class _Person:
    faces: list[Face]
    seen: int  # number of the frame
    identity: Floats | None = None

    @property
    def last(self) -> Face:
        return self.faces[-1]

    def together_with(self, other: _Person) -> bool:
        times = {face.t for face in self.faces}
        return any(face.t in times for face in other.faces)


def overlap(a: Box, b: Box) -> float:
    """Intersection over union."""
    wide = min(a[0] + a[2], b[0] + b[2]) - max(a[0], b[0])
    high = min(a[1] + a[3], b[1] + b[3]) - max(a[1], b[1])
    if wide <= 0 or high <= 0:
        return 0.0
    shared = wide * high
    return shared / (a[2] * a[3] + b[2] * b[3] - shared)


def alike(a: np.ndarray, b: np.ndarray) -> float:
    """Correlation of two crops: 1 for the same picture in other light."""
    first, second = (cv2.resize(c, (THUMB, THUMB), interpolation=cv2.INTER_AREA).ravel().astype(float) for c in (a, b))
    first, second = first - first.mean(), second - second.mean()
    norm = float(np.linalg.norm(first) * np.linalg.norm(second))
    return float(first @ second) / norm if norm else 1.0
