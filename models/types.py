"""The values that travel from a file's pixels to a probability.

Colour is RGB uint8 everywhere (`rgb`), boxes are (x, y, width, height) in pixels of the frame they were found in,
times are seconds from the start of the media, and every score is P(manipulated) in [0, 1] (`p_fake`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

Rgb = NDArray[np.uint8]
Grey = NDArray[np.uint8]
Floats = NDArray[np.float32]
Box = tuple[float, float, float, float]
MediaKind = Literal["image", "video"]
Band = Literal["low", "uncertain", "high", "abstained", "failed"]
# Of Content Credentials. `remote_only`: they are kept elsewhere, and nothing is fetched; `unchecked`: nothing looked.
Credentials = Literal["unchecked", "absent", "trusted", "valid_unknown_signer", "invalid", "remote_only"]


@dataclass(frozen=True)
class Mark:
    """What a program wrote of itself into the file. Anybody can write the same, and anybody can take it out."""

    where: str
    says: str


@dataclass(frozen=True)
class Provenance:
    """What the file says of where it comes from. `source_types`: IPTC's words for how it was made, as its signer states
    them; `generator`: the program that is said to have made it, by the credentials or else by a mark.
    """

    c2pa: Credentials = "unchecked"
    signer: str | None = None
    source_types: tuple[str, ...] = ()
    generator: str | None = None
    marks: tuple[Mark, ...] = ()


@dataclass(frozen=True)
class MediaInfo:
    """What a file says of itself, measured, not believed: `frames` may be an estimate for video."""

    kind: MediaKind
    mime: str
    width: int
    height: int
    duration: float
    frames: int
    complete: bool = True  # False: the file promises noticeably more than it holds
    provenance: Provenance = Provenance()


@dataclass(frozen=True)
class Pdq:
    """What a picture looks like, roughly, in 32 bytes (models/pdq.py). Low quality: walls and other blank pictures."""

    bits: bytes
    quality: int  # 0-100


@dataclass(frozen=True)
class Frame:
    rgb: Rgb  # (height, width, 3)
    t: float
    index: int
    missing: int = 0  # told with the last frame: samples that were wanted and could not be read
    quantiser: float | None = None  # of a frame of H.264: 0 (fine) to 51 (coarse)
    pdq: Pdq | None = None  # of a still, and of the first frame of each second


@dataclass(frozen=True)
class Found:
    """Where a finder sees a face. `confidence` is 1 and `points` None where it tells none."""

    box: Box
    confidence: float
    points: Floats | None  # (5, 2): left eye, right eye, nose, left and right corner of the mouth, as seen


@dataclass(frozen=True)
class Glance:
    """A small grey picture, taken often: between two frames, enough to follow the eyelids of known faces."""

    grey: Grey  # (height, width), sides up to bounds.GLANCE_SIDE
    t: float
    missing: int = 0  # as of a frame, where the media ends with a glance


@dataclass(frozen=True)
class Face:
    """One face in one frame. `crop` is the aligned crop every detector sees (faces.CROP_SIDE square)."""

    t: float
    box: Box
    found: float  # the finder's own confidence, 0-1
    crop: Rgb
    landmarks: Floats  # (68, 2), in pixels of the frame
    reasons: tuple[str, ...] = ()  # why the quality gate turned it down; empty = usable
    lids: tuple[tuple[float, float], ...] = ()  # (seconds, eye aspect ratio) from here on, as far as it was followed

    @property
    def usable(self) -> bool:
        return not self.reasons


@dataclass(frozen=True)
class FaceTrack:
    """One person through the media, in order of time. `identity` is a 128-d unit-scale vector, None when not taken."""

    number: int
    faces: tuple[Face, ...]
    identity: Floats | None = None

    @property
    def usable(self) -> tuple[Face, ...]:
        return tuple(face for face in self.faces if face.usable)


@dataclass(frozen=True)
class Score:
    """`p_fake` of a whole track; `per_face` and `heatmaps` run parallel to the faces the detector was given."""

    p_fake: float
    per_face: tuple[float, ...] = ()
    heatmaps: tuple[Floats | None, ...] = ()  # (h, w) in [0, 1], any size, over the crop
    note: str = ""  # what a reader of the score has to know of how it was made
    detail: Mapping[str, Any] | None = None  # what there is to draw; goes into the verdict as JSON, so keep it small


@dataclass(frozen=True)
class Abstained:
    reason: str


@dataclass(frozen=True)
class Context:
    """What a detector may want to know beyond the faces. `frames`: how many were asked for, the sequence length."""

    info: MediaInfo
    frames: int


@runtime_checkable
class Detector(Protocol):
    name: str
    version: str

    def score(self, faces: Sequence[Face], context: Context) -> Score | Abstained:
        """Judge the usable faces of one track, in order of time."""
        ...


@dataclass(frozen=True)
class DetectorReport:
    """One detector's say on the media: `score` is calibrated P(manipulated), `weight` its share in the decision.

    With the reason `not_calibrated` the score is the network's own, and moves nothing.
    """

    name: str
    version: str
    band: Band
    score: float | None
    weight: float
    ms: int
    reason: str | None = None
    evidence: str | None = None
    detail: Mapping[str, Any] | None = None
    contribution: float = 0.0  # what it adds to the log-odds of the track that decides


@dataclass(frozen=True)
class ShownFrame:
    """A whole frame kept as evidence, as a small JPEG; `width` and `height` are those that boxes are measured in."""

    jpeg: bytes
    width: int
    height: int


@dataclass(frozen=True)
class ShownFace:
    """A face kept as evidence: JPEG bytes of the crop, and of the crop under its heatmap when a detector has one.

    The highest-scoring ones bring the frame they were found in, too; nothing is drawn on it.
    """

    t: float
    box: Box
    score: float
    face: bytes
    heatmap: bytes | None
    frame: ShownFrame | None = None


@dataclass(frozen=True)
class Segment:
    """One person's stretch of the media with its score and its highest-scoring faces first.

    `timeline` holds (seconds, score) of every usable face, each judged by itself, in order of time.
    """

    start: float
    end: float
    track: int
    score: float
    frames: tuple[ShownFace, ...]
    timeline: tuple[tuple[float, float], ...] = ()


@dataclass(frozen=True)
class Coverage:
    frames: int  # looked at
    of_frames: int  # in the media
    faces: int  # usable
    tracks: int
    seconds: float


@dataclass(frozen=True)
class Scale:
    """Where the calibrated rules lie, as probabilities: "likely" above `likely` (None: out of reach), "no evidence" up
    to `no_evidence`. `low` and `high` are the edges of one detector's bands, and of one face's.
    """

    likely: float | None
    no_evidence: float
    low: float
    high: float


@dataclass(frozen=True)
class ForensicMap:
    """A picture for who reads such maps, as JPEG, with how to read it and what it cannot show. It decides nothing."""

    name: str  # error_level | noise
    picture: bytes
    reading: str


@dataclass(frozen=True)
class Analysis:
    """All that models say of one file. Numbers only: the label is made of them elsewhere.

    `p_value` is the conformal p against genuine calibration items (small = unlike the genuine ones), `fake_quantile`
    the share of manipulated calibration items that scored lower (small = unlike the manipulated ones). All four
    are None when nothing could be judged.
    """

    probability: float | None
    interval: tuple[float, float] | None
    p_value: float | None
    fake_quantile: float | None
    kinds: tuple[str, ...]
    reasons: tuple[str, ...]
    coverage: Coverage
    detectors: tuple[DetectorReport, ...]
    segments: tuple[Segment, ...]
    calibration: str  # date or name of the calibration that was used
    prior: float
    scale: Scale | None = None
    forensics: tuple[ForensicMap, ...] = ()
    hashes: tuple[tuple[float, Pdq], ...] = ()  # what it looks like, and at which second
    timings: dict[str, float] = field(default_factory=dict)  # stage -> seconds


Progress = Callable[[str, float], None]  # (stage, share done 0-1)
