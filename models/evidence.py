"""One person's stretch of the media, with the faces that speak loudest as pictures."""

from __future__ import annotations

from collections.abc import Mapping

from models import ensemble, explain
from models.calibrate import Calibration
from models.ensemble import Combined
from models.types import Abstained, Face, FaceTrack, Floats, Score, Segment, ShownFace

SHOWN_FACES = 12  # of a track

Said = Mapping[str, Score | Abstained | None]  # detector -> what it said of the track


def segment(track: FaceTrack, combined: Combined, said: Said, calibration: Calibration) -> Segment:
    """Only the highest-scoring faces become pictures, highest first."""
    usable = track.usable
    scores = [_score(said, i, combined.probability, calibration) for i in range(len(usable))]
    loudest = sorted(range(len(usable)), key=lambda i: -scores[i])[:SHOWN_FACES]
    shown = tuple(_shown(usable[i], scores[i], _heat(said, i, calibration)) for i in loudest)
    return Segment(usable[0].t, usable[-1].t, track.number, combined.probability, shown)


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


def _shown(face: Face, score: float, heat: Floats | None) -> ShownFace:
    heatmap = None if heat is None else explain.heatmap_jpeg(face.crop, heat)
    return ShownFace(face.t, face.box, score, explain.face_jpeg(face.crop), heatmap)
