"""The shapes of the API: what is asked is validated with them, what is answered is described by them (and tested)."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator

from server.verdict import LABELS, REASONS

State = Literal["queued", "fetching", "decoding", "analyzing", "complete", "failed", "cancelled"]
_LABEL_WORDS = "One of: " + ", ".join(LABELS) + "."


class _Asked(BaseModel):
    model_config = ConfigDict(extra="forbid")


# errors


class ErrorDetail(BaseModel):
    code: str = Field(description="Stable; programs decide by it.")
    message: str = Field(description="What happened and what to do, for people.")
    details: dict[str, Any] = Field(description="What the code alone does not say; depends on the code.")
    request_id: str | None = Field(description="Quote it to the operator: it is in the log.")


class ErrorBody(BaseModel):
    """Every error of the API looks like this."""

    error: ErrorDetail


# verdicts


class MediaBody(BaseModel):
    sha256: str
    kind: Literal["image", "video"]
    duration: float = Field(description="Seconds; 0 for a picture.")
    width: int
    height: int


class CoverageBody(BaseModel):
    frames: int = Field(description="Frames that were looked at.")
    of_frames: int = Field(description="Frames there are.")
    faces: int
    tracks: int = Field(description="People followed through the clip.")
    seconds: float = Field(description="How much of the clip was looked at.")
    acquisition: Literal["download", "upload", "background", "canvas", "screenshot"]


class DetectorBody(BaseModel):
    name: str
    version: str
    band: Literal["low", "uncertain", "high", "abstained", "failed"]
    score: float | None = Field(description="0-1, high = manipulated; null when the detector abstained or failed.")
    weight: float = Field(description="Its part in the decision.")
    ms: int
    reason: str | None = Field(description="Why it abstained, failed, or has no weight.")
    evidence: str | None = Field(description="What to know of how this score was made.")
    detail: dict[str, Any] | None = Field(
        None,
        description="What there is to draw. Of `blink`: `curve` with `t` (seconds), `ear` (eye aspect ratio) and "
        "`threshold` (closed below it), arrays of one length, with a gap in `t` where no eyes were seen; `blinks`, "
        "[start, end] each; `per_minute`; `exposure_seconds` (eyes in view); `p_value` of such a number of blinks.",
    )
    contribution: float = Field(0.0, description="What it adds to the log-odds; with those of `prior` they add up.")


class ShownFrame(BaseModel):
    t: float = Field(description="Seconds from the start.")
    box: list[int] = Field(description="x, y, width, height of the face, in pixels of the frame.")
    score: float
    face: str | None = Field(description="Address of the face picture; needs the same token or log-in.")
    heatmap: str | None
    frame: str | None = Field(None, description="Address of the whole frame, scaled down; the highest-scoring have it.")
    frame_size: list[int] | None = Field(None, description="Width and height that `box` is measured in.")


class Moment(BaseModel):
    t: float
    score: float


class SegmentBody(BaseModel):
    start: float
    end: float
    track: int = Field(description="Which person.")
    score: float
    frames: list[ShownFrame] = Field(description="The highest-scoring faces, highest first.")
    timeline: list[Moment] = Field([], description="The score of each face by itself; of long clips the peaks.")


class ForensicBody(BaseModel):
    """A map of a still for who reads such maps. It decides nothing; of a clip there is none."""

    name: Literal["error_level", "noise"]
    picture: str = Field(description="Address of the map; needs the same token or log-in.")
    reading: str = Field(description="How to read it, and what it cannot show.")


class ScaleBody(BaseModel):
    """Where the calibrated rules lie on the scale of `probability`."""

    likely: float | None = Field(description="Above: `manipulation_likely`. Null: so many people put it out of reach.")
    no_evidence: float = Field(description="Up to here: `no_evidence_found`.")
    low: float = Field(description="Up to here one detector's or one face's score is `low`.")
    high: float = Field(description="From here it is `high`.")


class MarkBody(BaseModel):
    where: str = Field(description="PNG text, EXIF, XMP, and so on.")
    says: str = Field(description="A program's name, or IPTC's word for how a picture was made.")


class ProvenanceBody(BaseModel):
    """What the file says of where it comes from. Only a trusted signer's word for AI moves the label."""

    c2pa: Literal["unchecked", "absent", "trusted", "valid_unknown_signer", "invalid", "remote_only"] = Field(
        description="Content Credentials. `unchecked`: nothing has looked; `absent`: the file has none, as most files; "
        "`trusted`: signed by somebody on the operator's trust list; `valid_unknown_signer`: by somebody else, which "
        "anybody can do; `invalid`: they do not fit the file; `remote_only`: kept elsewhere, and not fetched."
    )
    signer: str | None = Field(None, description="Who signed, as the certificate names them.")
    source_types: list[str] = Field([], description="IPTC's words for how it was made, as the signer states them.")
    declares_ai: bool = Field(False, description="One of them is a trained model. Worth as much as the signer's word.")
    generator: str | None = Field(description="The program said to have made it, by credentials or else marks.")
    marks: list[MarkBody] = Field([], description="Unsigned traces of programs; anybody can write or remove them.")


class MatchBody(BaseModel):
    """An item that looks nearly the same, and what was known of it. A swapped face changes as little as this."""

    sha256: str
    verdict: str = Field(description="Id of its verdict.")
    label: str = Field(description=_LABEL_WORDS)
    basis: str
    checked_at: str
    distance: int = Field(description="Bits of 256 that differ, 31 at the most; of a clip, of its middle second.")
    share: float = Field(description="Of the seconds of the one clip, how many are in the other; 1 for pictures.")


class SimilarBody(BaseModel):
    similar: list[MatchBody] = Field(description="The most alike first.")


class ReviewBody(BaseModel):
    status: str
    label: str | None
    decided_at: str | None


class VerdictBody(BaseModel):
    """One immutable version of what is known of a media. `media.sha256` is the handle that stays."""

    id: str
    version: int
    supersedes: str | None
    state: Literal["complete"]
    media: MediaBody
    label: str = Field(description=_LABEL_WORDS)
    basis: Literal["ensemble", "human", "near_duplicate", "provenance"]
    kinds: list[Literal["face_swap", "reenactment", "synthetic"]]
    probability: float | None = Field(description="Of manipulation, where the share `prior` of the material is.")
    interval: list[float] | None = Field(description="The 5-95 % range of the probability.")
    prior: float
    calibration: str
    scale: ScaleBody | None = None
    reasons: list[str] = Field(description="Strongest first: " + ", ".join(REASONS) + ".")
    coverage: CoverageBody
    detectors: list[DetectorBody]
    segments: list[SegmentBody]
    forensics: list[ForensicBody] = Field([], description="Pictures for experts. They move no verdict.")
    provenance: ProvenanceBody
    match: MatchBody | None = Field(
        description="An item it looked like when this was written, of those anybody may see. It moves no label."
    )
    review: ReviewBody | None
    pipeline: str
    created_at: str
    expires_at: str
    stale: bool = Field(description="Old, or made by an earlier pipeline: asking for a check makes a new one.")
    cache: Literal["sha256", "url"] | None = Field(description="How it was found without a run.")
    fetched_at: str | None = Field(None, description="When the server last saw these bytes at the address asked for.")


class VersionBody(BaseModel):
    id: str
    version: int
    supersedes: str | None
    current: bool
    label: str = Field(description=_LABEL_WORDS)
    basis: str
    probability: float | None
    pipeline: str
    created_at: str
    expires_at: str


class HistoryBody(BaseModel):
    versions: list[VersionBody] = Field(description="Newest first.")


class SummaryBody(BaseModel):
    id: str
    label: str = Field(description=_LABEL_WORDS)
    probability: float | None
    checked_at: str
    stale: bool


class LookupAsked(_Asked):
    urls: list[str] = Field(min_length=1, max_length=200)


class LookupBody(BaseModel):
    verdicts: list[SummaryBody | None] = Field(description="One for each address, in order; null = not known.")


class BucketEntry(BaseModel):
    suffix: str = Field(description="The rest of the key, in hex.")
    id: str
    label: str = Field(description=_LABEL_WORDS)
    probability: float | None
    checked_at: str


class BucketBody(BaseModel):
    prefix: str
    bucket_digits: int = Field(description="Hex digits to ask by; fewer are allowed, more are refused.")
    keys: list[BucketEntry]


# checks


class CheckAsked(_Asked):
    """What every way of asking has in common, and the address for those who have one."""

    url: str | None = Field(None, description="Address of a picture, a video, or a page with one.", max_length=8192)
    page_url: str | None = Field(None, description="The page it was seen on.", max_length=8192)
    media_url: str | None = Field(None, description="The media's own address, when the page names it.", max_length=8192)
    claimed_url: str | None = Field(
        None, description="Where an uploaded file is said to come from. Shown as a claim; never answers look-ups.",
        max_length=8192,
    )  # fmt: skip
    acquisition: Literal["upload", "background", "canvas", "screenshot"] = Field(
        "upload", description="How uploaded bytes were got. Canvas and screenshot cap the certainty."
    )
    times: list[float] | None = Field(None, description="Seconds from the start, one for each of `frames`.")
    priority: Literal["interactive", "bulk"] = Field("interactive", description="Whether a person waits.")
    sequence_length: Literal[10, 20, 40, 60, 80, 100] = Field(60, description="Frames of a video that are looked at.")
    detectors: list[str] | None = Field(None, description="Names from GET /api/v1/models; absent = all.", max_length=50)
    force: bool = Field(False, description="Check anew, even where a verdict stands.")

    @field_validator("url", "page_url", "media_url", "claimed_url")
    @classmethod
    def _storable(cls, value: str | None) -> str | None:
        if value is not None and "\0" in value:
            raise ValueError("holds a character no address has")
        return value


class CheckBody(BaseModel):
    """The shared job. Poll it with If-None-Match, or read its events."""

    id: str
    state: State
    stage: State
    progress: float = Field(description="Share of the current stage that is done, 0-1.")
    source: Literal["url", "file", "frames"]
    url: str | None = Field(description="As you gave it; others may have asked for the same by another address.")
    claimed_url: str | None = Field(description="Where you said that an uploaded file comes from.")
    acquisition: str
    options: dict[str, Any]
    created_at: str
    finished_at: str | None
    label: str | None = Field(description="The verdict's, in short.")
    probability: float | None
    verdict: VerdictBody | None = Field(description="Once the check is complete.")
    previous: VerdictBody | None = Field(description="What is known meanwhile, from an earlier check; marked stale.")
    error: dict[str, Any] | None = Field(description="Why a check failed: code, message, details.")
    delayed: dict[str, Any] | None = Field(
        description="Why a check waits to be tried again (the server's disk is full, say), in the same shape."
    )


class ChecksBody(BaseModel):
    checks: list[CheckBody] = Field(description="Without their verdicts: ask for one by its id.")
    next: str | None = Field(description="Pass as `after` for the next page; null at the end.")


# pairing


class PairingAsked(_Asked):
    code: str = Field(description="Eight characters, in any case, with or without the dash.", max_length=32)


class PairedBody(BaseModel):
    token: str = Field(description="A bearer token for this browser. It is not shown again.")
    user: str = Field(description="Whom it acts for.")
    role: str
    scopes: list[str]
    expires_at: str | None


# the rest


class StrayBody(BaseModel):
    file: str
    status: str = Field(description="What imports it.")


class ManipulatedRates(BaseModel):
    kind: str
    items: int
    flagged: float = Field(description="Share that would be `manipulation_likely`.")
    cleared: float = Field(description="Share that would be `no_evidence_found`, wrongly.")


class MeasuredBody(BaseModel):
    """How often the labels err on the items of the calibration: material from elsewhere is harder."""

    dataset: str
    genuine: int
    genuine_flagged: float = Field(description="Share of them that would be `manipulation_likely`, wrongly.")
    manipulated: list[ManipulatedRates]


class ModelsBody(BaseModel):
    pipeline: str
    detectors: list[dict[str, Any]] = Field(
        description="name, version, card; details: figures of its last evaluation and its layers."
    )
    unimported: list[StrayBody] = Field(description="Weights that lie in the folder and that nothing uses.")
    measured: MeasuredBody | None


class HealthBody(BaseModel):
    status: Literal["ok"]


class CheckPath(BaseModel):
    check_id: str = Field(description="Id of a check.", max_length=64)


class VerdictPath(BaseModel):
    verdict_id: str = Field(description="Id of one version of a verdict.", max_length=64)


class HashPath(BaseModel):
    sha256: str = Field(description="sha256 of the file, in hex.", pattern="^[0-9a-fA-F]{64}$")


class PrefixPath(BaseModel):
    prefix: str = Field(description="The first hex digits of a key.", pattern="^[0-9a-fA-F]{1,64}$")


class EvidencePath(BaseModel):
    evidence_id: str = Field(description="Id of a picture, from a verdict.", pattern="^[0-9a-f]{32}$")


class UrlQuery(_Asked):
    url: str = Field(description="The address to look up. Nothing is fetched.", max_length=8192)


class PageQuery(_Asked):
    after: str | None = Field(None, description="`next` of the page before.", max_length=64)
    limit: int = Field(20, ge=1, le=100, description="Entries a page.")


class SinceQuery(_Asked):
    since: int | None = Field(
        None, ge=0, le=4_102_444_800_000, description="Generation of the list you hold: only what came after is sent."
    )
