"""What is shown of each person: the score over time, and pictures of the faces and frames that speak loudest."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from models import ensemble, explain
from models.calibrate import Calibration
from models.ensemble import Combined
from models.types import Abstained, Face, FaceTrack, Floats, Frame, Score, Segment, ShownFace, ShownFrame

SHOWN_FACES = 12  # of a track
SHOWN_FRAMES = 6  # of a check
# Bytes of pictures a check may leave behind. One person's come to .7 MB; a photograph of 60 people would leave 2.5 MB
# of faces alone, and a busy server keeps those of hundreds of thousands of checks.
BUDGET = 3_000_000
LONGEST_TIMELINE = 120  # points: a plot of 600 pixels shows no more, and a verdict's JSON stays below 10 kB a person

Said = Mapping[str, Score | Abstained | None]  # detector -> what it said of the track


class Album:
    """Small JPEGs of the frames with a usable face, while the frames themselves are let go: 60 take about 2 MB."""

    def __init__(self) -> None:
        self._frames: dict[float, ShownFrame | None] = {}

    def add(self, frame: Frame, found: Sequence[Face]) -> None:
        if any(face.usable for face in found):
            # Two frames of one time cannot be told apart later: rather none than the wrong one under a box.
            self._frames[frame.t] = None if frame.t in self._frames else explain.small_frame(frame.rgb)

    def at(self, t: float) -> ShownFrame | None:
        return self._frames.get(t)


@dataclass
class _Person:
    track: FaceTrack
    combined: Combined
    said: Said
    scores: list[float]
    shown: list[ShownFace] = field(default_factory=list)

    def loudest(self) -> Iterator[tuple[float, int]]:
        yield from sorted(((score, i) for i, score in enumerate(self.scores)), reverse=True)[:SHOWN_FACES]

    def segment(self) -> Segment:
        faces = self.track.usable
        timeline = thinned([(face.t, score) for face, score in zip(faces, self.scores, strict=True)])
        track = self.track.number
        return Segment(faces[0].t, faces[-1].t, track, self.combined.probability, tuple(self.shown), timeline)


def segments(
    tracks: Sequence[FaceTrack],
    combined: Sequence[Combined | None],
    said: Sequence[Said],
    calibration: Calibration,
    album: Album,
) -> tuple[Segment, ...]:
    """One for each track that was judged, the highest first. Pictures are made from the highest score down, until the
    budget is spent."""
    people = [
        _Person(track, result, of_track, _scores(track, of_track, result.probability, calibration))
        for track, result, of_track in zip(tracks, combined, said, strict=True)
        if result is not None
    ]
    ranked = sorted(((score, n, i) for n, person in enumerate(people) for score, i in person.loudest()), reverse=True)
    left, frames = BUDGET, set[float]()
    for score, n, i in ranked:
        person, face = people[n], people[n].track.usable[i]
        frame = album.at(face.t) if face.t in frames or len(frames) < SHOWN_FRAMES else None
        shown = _shown(face, score, _heat(person.said, i, calibration), frame)
        left -= len(shown.face) + len(shown.heatmap or b"")
        left -= len(frame.jpeg) if frame and face.t not in frames else 0
        if left < 0:
            break
        frames |= {face.t} if frame else set()
        person.shown.append(shown)
    return tuple(sorted((person.segment() for person in people), key=lambda segment: -segment.score))


def thinned(points: Sequence[tuple[float, float]], most: int = LONGEST_TIMELINE) -> tuple[tuple[float, float], ...]:
    """At most so many points: of each stretch its peak, since what is suspicious must not be thinned away."""
    if len(points) <= most:
        return tuple(points)
    edges = [round(n * len(points) / most) for n in range(most + 1)]
    pieces = (points[edges[n] : edges[n + 1]] for n in range(most))
    return tuple(max(piece, key=lambda point: point[1]) for piece in pieces)


def _scores(track: FaceTrack, said: Said, otherwise: float, calibration: Calibration) -> list[float]:
    return [_score(said, i, otherwise, calibration) for i in range(len(track.usable))]


def _score(said: Said, i: int, otherwise: float, calibration: Calibration) -> float:
    """The probability of one face by itself; the track's where no detector scores single faces."""
    alone = {name: s.per_face[i] for name, s in said.items() if isinstance(s, Score) and i < len(s.per_face)}
    combined = ensemble.combine(alone, calibration)
    return combined.probability if combined else otherwise


def _heat(said: Said, i: int, calibration: Calibration) -> Floats | None:
    """Of the detector that weighs most; one that is not calibrated has no say in what is shown either."""
    heard = sorted((n for n in said if n in calibration.detectors), key=lambda n: -calibration.detectors[n].weight)
    scores = [s for n in heard if isinstance(s := said[n], Score)]
    maps = (s.heatmaps[i] for s in scores if i < len(s.heatmaps))
    return next((heat for heat in maps if heat is not None), None)


def _shown(face: Face, score: float, heat: Floats | None, frame: ShownFrame | None) -> ShownFace:
    heatmap = None if heat is None else explain.heatmap_jpeg(face.crop, heat)
    return ShownFace(face.t, face.box, score, explain.face_jpeg(face.crop), heatmap, frame)
