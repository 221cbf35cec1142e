"""What was found and heard, put together as an Analysis: tracks that count, reasons, segments with their evidence."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from models import ensemble, evidence, manifest, quality
from models.calibrate import Calibration
from models.hypotheses import SOUGHT
from models.panel import FAILED, Heard
from models.pooling import of_best_faces
from models.types import (
    Abstained,
    Analysis,
    Coverage,
    DetectorReport,
    Face,
    FaceTrack,
    Frame,
    MediaInfo,
    Pdq,
    Score,
)

FEWEST_FACES = 5  # of a person in a clip, below which the reasons say so
FEWEST_JUDGED, MANY_FRAMES = 3, 10  # fewer faces than the one in more frames than the other are not judged
PASSING_SHARE = 0.1  # somebody seen this little beside the most seen person is not judged: often no face at all
SHORTEST = 1.0  # seconds
NOT_CALIBRATED = "not_calibrated"
TOO_FEW = "too_few_frames"


@dataclass
class LookedAt:
    frames: int = 0
    faces: int = 0
    usable: int = 0
    missing: int = 0
    first: float = 0.0
    last: float = 0.0
    turned_down: Counter[str] = field(default_factory=Counter)
    hashes: list[tuple[float, Pdq]] = field(default_factory=list)

    def add(self, frame: Frame, found: Sequence[Face]) -> None:
        self.first = frame.t if self.frames == 0 else self.first
        self.last = frame.t
        self.frames += 1
        self.missing += frame.missing
        self.faces += len(found)
        self.usable += sum(face.usable for face in found)
        if frame.pdq is not None:
            self.hashes.append((frame.t, frame.pdq))
        self.turned_down.update(reason for face in found for reason in face.reasons)


def judgeable(tracks: Sequence[FaceTrack], info: MediaInfo) -> list[FaceTrack]:
    """Tracks with usable faces; in a clip, without those that only flash by."""
    usable = [track for track in tracks if track.usable]
    if info.kind == "image":
        return usable
    most = max((len(track.usable) for track in usable), default=0)
    return [track for track in usable if len(track.usable) > PASSING_SHARE * most]


def analysis(
    tracks: Sequence[FaceTrack],
    heard: Sequence[Heard],
    looked_at: LookedAt,
    info: MediaInfo,
    calibration: Calibration,
    album: evidence.Album,
) -> Analysis:
    enough = [_enough(track, looked_at, info) for track in tracks]
    heard = [replace(h, said=_of_enough(h.said, enough)) for h in heard]
    if calibration.best_faces:
        heard = [replace(h, said=[of_best_faces(s) if isinstance(s, Score) else s for s in h.said]) for h in heard]
    combined = [
        ensemble.combine({h.name: _p_fake(h.said[i]) for h in heard}, calibration, sum(enough))
        for i in range(len(tracks))
    ]
    top = ensemble.highest(combined)
    best = combined[top] if top is not None else None
    reports = _reports(heard, top, best.hypothesis if best else "", calibration)
    said = [{h.name: h.said[i] for h in heard} for i in range(len(tracks))]
    return Analysis(
        probability=best.probability if best else None,
        interval=best.interval if best else None,
        p_value=best.p_value if best else None,
        fake_quantile=max((track.fake_quantile for track in combined if track), default=None),
        kinds=_kinds(reports, best.hypothesis if best else "", calibration),
        reasons=_reasons(looked_at, info, reports, tracks[top] if top is not None else None, all(enough), calibration),
        coverage=Coverage(
            looked_at.frames,
            max(info.frames, looked_at.frames),
            sum(len(track.usable) for track in tracks),
            len(tracks),
            info.duration,
        ),
        detectors=tuple(reports),
        segments=evidence.segments(tracks, combined, said, calibration, album),
        calibration=calibration.id,
        prior=calibration.prior,
        hashes=tuple(looked_at.hashes),
        scale=ensemble.scale(calibration, sum(enough), best.hypothesis if best else next(iter(calibration.fake))),
    )


def _enough(track: FaceTrack, looked_at: LookedAt, info: MediaInfo) -> bool:
    """Two faces of sixty frames are as likely an accident of finding or decoding as a person."""
    return info.kind == "image" or looked_at.frames <= MANY_FRAMES or len(track.usable) >= FEWEST_JUDGED


def _of_enough(said: Sequence[Score | Abstained | None], enough: Sequence[bool]) -> list[Score | Abstained | None]:
    """Of the other tracks only a detector's failure is kept."""
    pairs = zip(said, enough, strict=True)
    return [answer if whole or answer is None else Abstained(TOO_FEW) for answer, whole in pairs]


def _p_fake(said: Score | Abstained | None) -> float | None:
    return said.p_fake if isinstance(said, Score) else None


def _loudness(said: Score | Abstained | None) -> float:
    return said.p_fake if isinstance(said, Score) else -1.0


def _reports(heard: Sequence[Heard], top: int | None, stronger: str, calibration: Calibration) -> list[DetectorReport]:
    """Shares in the decision have those who speak for the stronger hypothesis."""
    weights = {
        h.name: calibration.detectors[h.name].weight
        for h in heard
        if _speaks_for(h.name, calibration) == stronger and top is not None and isinstance(h.said[top], Score)
    }
    total = sum(weights.values()) or 1.0
    return [_report(h, top, weights.get(h.name, 0.0) / total, stronger, calibration) for h in heard]


def _report(heard: Heard, top: int | None, weight: float, stronger: str, calibration: Calibration) -> DetectorReport:
    ms = round(heard.seconds * 1000)
    if heard.failed:
        return DetectorReport(heard.name, heard.version, "failed", None, 0.0, ms, FAILED)
    said = heard.said[top] if top is not None else max(heard.said, key=_loudness, default=None)
    if not isinstance(said, Score):
        reason = said.reason if isinstance(said, Abstained) else "no_face"
        return DetectorReport(heard.name, heard.version, "abstained", None, 0.0, ms, reason)
    note, detail = said.note or None, said.detail
    if heard.name not in calibration.detectors:
        raw = said.p_fake
        return DetectorReport(heard.name, heard.version, "uncertain", raw, 0.0, ms, NOT_CALIBRATED, note, detail)
    platt = calibration.detectors[heard.name]
    score = ensemble.calibrated(said.p_fake, platt, calibration.prior)
    says, adds = ensemble.band(score, calibration), ensemble.ratio(said.p_fake, platt)
    if platt.hypothesis != stronger:
        note, adds = note or f"looks for {SOUGHT[platt.hypothesis]}; the other kind is likelier", 0.0
    return DetectorReport(heard.name, heard.version, says, score, weight, ms, None, note, detail, adds)


def _kinds(reports: Sequence[DetectorReport], stronger: str, calibration: Calibration) -> tuple[str, ...]:
    entries = manifest.read()
    speaking = [r for r in reports if r.band == "high" and _speaks_for(r.name, calibration) == stronger]
    kinds = [kind for r in speaking for kind in (entries[r.name].kinds if r.name in entries else (stronger,))]
    return tuple(dict.fromkeys(kinds))


def _speaks_for(name: str, calibration: Calibration) -> str | None:
    return calibration.detectors[name].hypothesis if name in calibration.detectors else None


def _reasons(
    looked_at: LookedAt,
    info: MediaInfo,
    reports: Sequence[DetectorReport],
    track: FaceTrack | None,
    enough: bool,
    calibration: Calibration,
) -> tuple[str, ...]:
    found = []
    if not looked_at.faces:
        found.append("no_face")
    found += [name for name, count in looked_at.turned_down.items() if 2 * count > looked_at.faces]
    if looked_at.faces and not looked_at.usable and not found:
        found.append(looked_at.turned_down.most_common(1)[0][0])
    if info.kind == "video" and info.duration < SHORTEST:
        found.append("too_short")
    few = len(track.usable) < FEWEST_FACES if track is not None else not enough
    if info.kind == "video" and few:
        found.append(TOO_FEW)
    if looked_at.missing or not info.complete:
        found.append("partial_coverage")
    if quality.low_resolution(info.width, info.height):
        found.append("low_resolution")
    if any(
        ensemble.disagree([report.band for report in reports if _speaks_for(report.name, calibration) == hypothesis])
        for hypothesis in calibration.fake
    ):
        found.append("detectors_disagree")
    if track is None and any(report.reason == NOT_CALIBRATED for report in reports):
        found.append(NOT_CALIBRATED)
    if any(report.band == "failed" for report in reports):
        found.append(FAILED)
    return tuple(found)
