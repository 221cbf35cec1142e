"""Faces over frames to one FaceTrack per person.

Every sampled frame is searched anew. Samples lie half a second apart: a template of the former face finds the next one
in 97 % of 390 such steps, but it also finds "the face" after 4 % of 300 cuts to elsewhere, and sees nobody who comes;
it would save a tenth of a clip's time.

A face goes to the person it looks like and lies near. Where place and looks do not settle it (after a cut, where people
cross, where a face turns up anew) the identity vector does. It costs 126 ms, so a person's is taken once, from the
crop, and only when there is something to decide.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from models import landmarks
from models.types import Box, Face, FaceTrack, Floats, Rgb

# Of 38 people in clips, half a second apart, 2.5 % of faces are less alike than the first and 11 % than the second; of
# two people 7 % and .5 % are more alike. So the first serves within a shot only, for the one face there is or in place.
ALIKE, SURELY_ALIKE = 0.6, 0.8
CLEARLY = 0.1  # by so much more alike somebody else has a claim
OVERLAP = 0.25  # intersection over union
REACH = 2.0  # face widths somebody may move between two samples
LARGER = 1.5
SAME_SHOT = 0.75  # correlation of two frames: less in 2.5 % of steps within a shot, more at .1 % of 1,400 cuts
LONGEST_GAP = 3.0  # seconds a face may be out of sight and still be followed by its place
FEWEST_FRAMES = 2
MOST_IDENTITIES = 30  # of a clip, four seconds: behind them, who cannot be told apart counts as somebody else
FACE_SIDE, SCENE_SIDE = 24, 16
# Where the face lies in an aligned crop, for dlib.
_FACE_IN_CROP: Box = (32.0, 32.0, 192.0, 192.0)


class Tracker:
    """Hand it the faces of each frame in order of time; `tracks` gives the people."""

    def __init__(self) -> None:
        self._people: list[_Person] = []
        self._frame = 0
        self._asked = 0
        self._scene: Floats | None = None

    def add(self, faces: Sequence[Face], rgb: Rgb) -> None:
        """`rgb`: the frame they are of."""
        self._frame += 1
        within = self._within_shot(rgb)
        new = [_Person([face], self._frame, look(face.crop, FACE_SIDE)) for face in faces]
        old = [person for person in self._people if faces and self._in_sight(person, faces[0].t)]
        if old:
            self._people.extend(self._unclaimed(old, new, within))
        else:
            self._people.extend(new)

    def tracks(self) -> tuple[FaceTrack, ...]:
        """In order of first appearance. Two faces of one frame are never the same person."""
        if self._frame > 1:
            self._people = self._merged()
        people = sorted(self._people, key=lambda person: (person.faces[0].t, person.faces[0].box[0]))
        return tuple(FaceTrack(number, tuple(person.faces), person.identity) for number, person in enumerate(people))

    def _within_shot(self, rgb: Rgb) -> bool:
        before, self._scene = self._scene, look(rgb[::8, ::8], SCENE_SIDE)
        return before is not None and float(before @ self._scene) >= SAME_SHOT

    def _in_sight(self, person: _Person, t: float) -> bool:
        """Samples of a long clip lie further apart than anybody stays out of sight: then frames count."""
        return t - person.last.t <= LONGEST_GAP or self._frame - person.seen <= FEWEST_FRAMES

    def _unclaimed(self, old: list[_Person], new: list[_Person], within: bool) -> list[_Person]:
        """Give each face to the person it belongs to; the rest are new people."""
        likeness = np.array([[float(person.look @ face.look) for face in new] for person in old])
        overlaps = np.array([[overlap(person.last.box, face.last.box) for face in new] for person in old])
        alone = len(old) == len(new) == 1
        people, faces = set(range(len(old))), set(range(len(new)))
        for p, f in _by_fit(likeness + overlaps):
            if p not in people or f not in faces:
                continue
            in_place = overlaps[p, f] >= OVERLAP
            reached = in_place or near(old[p].last.box, new[f].last.box)
            enough = ALIKE if within and (in_place or alone) else SURELY_ALIKE
            rivals = max([likeness[q, f] for q in people - {p}] + [likeness[p, g] for g in faces - {f}], default=-1.0)
            plain = reached and likeness[p, f] >= max(enough, rivals - CLEARLY)
            if plain or (in_place and self._same(old[p], new[f])):
                old[p].follow(new[f])
                people.remove(p)
                faces.remove(f)
        return [new[f] for f in sorted(faces)]

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
    look: Floats
    identity: Floats | None = None

    @property
    def last(self) -> Face:
        return self.faces[-1]

    def follow(self, face: _Person) -> None:
        self.faces.extend(face.faces)
        self.seen, self.look = face.seen, face.look
        self.identity = face.identity if self.identity is None else self.identity

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


def near(a: Box, b: Box) -> bool:
    """Whether one face may have moved from one to the other between two samples."""
    apart = np.hypot(a[0] + a[2] / 2 - b[0] - b[2] / 2, a[1] + a[3] / 2 - b[1] - b[3] / 2)
    size, other = max(a[2:]), max(b[2:])
    return bool(apart <= REACH * max(size, other)) and max(size, other) <= LARGER * min(size, other)


def look(rgb: Rgb, side: int) -> Floats:
    """A small picture as a vector of length 1 whose product with another's is their correlation; 0 if it is flat."""
    small = cv2.resize(np.ascontiguousarray(rgb), (side, side), interpolation=cv2.INTER_AREA).astype(np.float32).ravel()
    small -= small.mean()
    return np.asarray(small / max(float(np.linalg.norm(small)), 1e-6), np.float32)


def _by_fit(fit: Floats) -> list[tuple[int, int]]:
    """Pairs of rows and columns, the highest first."""
    order = np.argsort(-fit, axis=None, kind="stable")
    return [(int(i) // fit.shape[1], int(i) % fit.shape[1]) for i in order]
