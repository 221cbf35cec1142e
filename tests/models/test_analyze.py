from __future__ import annotations

import io
import logging
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from models import calibrate, ensemble, registry
from models.analyze import Analyzer
from models.calibrate import Platt
from models.decode import DecodeLimits, decode, probe
from models.errors import UnknownDetector, WeightsError
from models.types import Abstained, Analysis, Context, Face, Frame, MediaInfo, Rgb, Score
from tests.models.conftest import FLAGGING
from tests.models.media import beside, write_clip


class Broken:
    name, version = "broken", "1"

    def score(self, faces: Sequence[Face], context: Context) -> Score | Abstained:
        raise ValueError("this detector always fails")


class Shy:
    name, version = "shy", "1"

    def score(self, faces: Sequence[Face], context: Context) -> Score | Abstained:
        return Abstained("too_few_frames")


class New:
    """Not in any calibration."""

    version = "1"

    def __init__(self, name: str) -> None:
        self.name = name

    def score(self, faces: Sequence[Face], context: Context) -> Score | Abstained:
        heat = np.ones((4, 4), np.float32)
        return Score(0.999, (0.999,) * len(faces), (heat,) * len(faces), f"asked for {context.frames} frames")


def new(name: str, threads: int) -> New:
    return New(name)


def broken(name: str, threads: int) -> Broken:
    return Broken()


def damaged(name: str, threads: int) -> Broken:
    raise WeightsError("Install it again.")


def shy(name: str, threads: int) -> Shy:
    return Shy()


def picture(analyzer: Analyzer, rgb: Rgb) -> Analysis:
    info = MediaInfo("image", "image/png", rgb.shape[1], rgb.shape[0], 0.0, 1)
    return analyzer.analyze([Frame(rgb, 0.0, 0)], info)


def drifting(portrait: Rgb, count: int) -> Iterator[Rgb]:
    wide = np.asarray(np.pad(portrait, ((0, 0), (64, 64), (0, 0)), mode="edge"))
    for i in range(count):
        yield np.ascontiguousarray(wide[:, i % 64 : 512 + i % 64])


def test_a_face_is_judged_with_evidence(analyzer: Analyzer, portrait: Rgb) -> None:
    analysis = picture(analyzer, portrait)
    assert analysis.probability is not None
    assert analysis.probability > 0.9
    assert analysis.p_value == 1 / 200
    assert analysis.kinds == ("face_swap",)
    assert analysis.reasons == ()
    (report,) = analysis.detectors
    assert (report.name, report.band, report.weight, report.reason) == ("meso4", "high", 1.0, None)
    ((shown,),) = [segment.frames for segment in analysis.segments]
    assert Image.open(io.BytesIO(shown.face)).size == (256, 256)
    assert shown.heatmap is not None
    assert Image.open(io.BytesIO(shown.heatmap)).size == (256, 256)
    assert analysis.coverage.faces == 1
    assert {"decode", "faces", "tracks", "meso4", "evidence"} <= analysis.timings.keys()


def test_the_shipped_calibration_does_not_flag_the_portrait(portrait: Rgb) -> None:
    analyzer = Analyzer()
    analysis = picture(analyzer, portrait)
    analyzer.close()
    assert analysis.p_value is not None
    assert analysis.p_value > analyzer.calibration.likely_p


@pytest.mark.parametrize("value", [0, 127])
def test_no_face_is_not_scored(analyzer: Analyzer, value: int) -> None:
    analysis = picture(analyzer, np.full((480, 640, 3), value, np.uint8))
    assert (analysis.probability, analysis.interval, analysis.p_value, analysis.fake_quantile) == (None,) * 4
    assert analysis.reasons == ("no_face",)
    assert analysis.segments == ()
    assert [(report.band, report.score) for report in analysis.detectors] == [("abstained", None)]


def test_faces_too_small_are_not_scored(analyzer: Analyzer, portrait: Rgb) -> None:
    small = np.full((512, 512, 3), 90, np.uint8)
    small[:256, :256] = portrait[::2, ::2]
    analysis = picture(analyzer, small)
    assert analysis.probability is None
    assert analysis.reasons == ("face_too_small",)


def test_thirty_faces(analyzer: Analyzer, portrait: Rgb) -> None:
    analysis = picture(analyzer, np.tile(portrait[10:210, 125:325], (5, 6, 1)))
    assert analysis.coverage.tracks == 30
    assert len(analysis.segments) == 30
    assert analysis.p_value == 30 / 200


def test_a_clip_of_one_person(analyzer: Analyzer, portrait: Rgb, limits: DecodeLimits, tmp_path: Path) -> None:
    path = write_clip(tmp_path / "a.mp4", drifting(portrait, 40))
    said: list[tuple[str, float]] = []
    analysis = analyzer.analyze(decode(path, limits, 20), probe(path, limits), lambda *step: said.append(step))
    (segment,) = analysis.segments
    assert analysis.coverage.frames == 20
    assert analysis.coverage.of_frames == 40
    assert analysis.coverage.seconds == pytest.approx(4.0, abs=0.2)
    assert 0 <= segment.start < 0.5
    assert 3.5 < segment.end < 4.1
    assert len(segment.frames) == 12
    assert [shown.score for shown in segment.frames] == sorted((f.score for f in segment.frames), reverse=True)
    stages = [stage for stage, _ in said]
    assert [t for t, _ in segment.timeline] == sorted(t for t, _ in segment.timeline)
    assert len(segment.timeline) == analysis.coverage.faces
    assert max(score for _, score in segment.timeline) == segment.frames[0].score
    assert stages == sorted(stages, key=["faces", "detectors", "evidence"].index)
    assert all(0 <= share <= 1 for _, share in said)


def test_two_people_in_one_clip_stay_two(
    analyzer: Analyzer, portrait: Rgb, limits: DecodeLimits, tmp_path: Path
) -> None:
    mirrored = np.ascontiguousarray(portrait[:, ::-1])
    path = write_clip(tmp_path / "a.mp4", [beside(portrait, mirrored)] * 6, rate=2)
    analysis = analyzer.analyze(decode(path, limits, 6), probe(path, limits))
    assert analysis.coverage.tracks == 2
    assert analysis.p_value == 2 / 200
    left, right = sorted(segment.frames[0].box[0] for segment in analysis.segments)
    assert left < 512 < right


def test_a_clip_of_one_frame(analyzer: Analyzer, portrait: Rgb, limits: DecodeLimits, tmp_path: Path) -> None:
    path = write_clip(tmp_path / "a.mp4", [portrait])
    analysis = analyzer.analyze(decode(path, limits, 60), probe(path, limits))
    assert analysis.probability is not None
    assert {"too_short", "too_few_frames"} <= set(analysis.reasons)


@pytest.mark.parametrize(("faces", "judged"), [(2, False), (3, True)])
def test_a_face_hardly_seen_in_a_clip_is_not_judged(
    analyzer: Analyzer, portrait: Rgb, faces: int, judged: bool
) -> None:
    wall = np.full_like(portrait, 96)
    frames = [Frame(portrait if i < faces else wall, i / 2, i) for i in range(12)]
    analysis = analyzer.analyze(frames, MediaInfo("video", "video/mp4", 512, 512, 6.0, 12))
    assert (analysis.probability is not None) == judged
    assert len(analysis.segments) == judged
    assert analysis.reasons == ("too_few_frames",)
    assert analysis.coverage.faces == faces
    assert [report.reason for report in analysis.detectors] == [None if judged else "too_few_frames"]


@pytest.mark.parametrize(("complete", "missing"), [(False, 0), (True, 9)])
def test_what_could_not_be_read_is_told(analyzer: Analyzer, portrait: Rgb, complete: bool, missing: int) -> None:
    frames = [Frame(portrait, i / 2, i, missing if i == 7 else 0) for i in range(8)]
    analysis = analyzer.analyze(frames, MediaInfo("video", "video/mp4", 512, 512, 4.0, 8, complete))
    assert analysis.reasons == ("partial_coverage",)


def test_frames_are_let_go(analyzer: Analyzer, portrait: Rgb) -> None:
    import weakref

    kept: list[weakref.ref[Rgb]] = []
    alive: list[int] = []

    def frames() -> Iterator[Frame]:
        for i in range(6):
            rgb = portrait.copy()
            kept.append(weakref.ref(rgb))
            alive.append(sum(ref() is not None for ref in kept))
            yield Frame(rgb, i / 2, i)

    analyzer.analyze(frames(), MediaInfo("video", "video/mp4", 512, 512, 3.0, 6))
    assert max(alive) <= 3


def test_threads_share_one_analyzer(analyzer: Analyzer, portrait: Rgb) -> None:
    with ThreadPoolExecutor(4) as pool:
        results = list(pool.map(lambda _: picture(analyzer, portrait), range(8)))
    assert len({round(result.segments[0].score, 6) for result in results}) == 1


def test_a_detector_that_fails_is_recorded_and_never_scored(
    portrait: Rgb, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setitem(registry.DETECTORS, "broken", registry.Line(f"{__name__}:broken"))
    monkeypatch.setitem(registry.DETECTORS, "shy", registry.Line(f"{__name__}:shy"))
    analyzer = Analyzer(FLAGGING)
    with caplog.at_level(logging.ERROR):
        analysis = picture(analyzer, portrait)
    alone = analyzer.analyze([Frame(portrait, 0, 0)], MediaInfo("image", "", 512, 512, 0, 1), detectors=["broken"])
    analyzer.close()
    reports = {report.name: report for report in analysis.detectors}
    assert (reports["broken"].band, reports["broken"].score) == ("failed", None)
    assert reports["broken"].reason == "detector_failed"
    assert (reports["shy"].band, reports["shy"].reason) == ("abstained", "too_few_frames")
    assert analysis.probability is not None
    assert "detector_failed" in analysis.reasons
    assert "always fails" in caplog.text
    assert alone.probability is None


def test_weights_that_are_damaged_are_named_in_one_line(
    portrait: Rgb, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setitem(registry.DETECTORS, "damaged", registry.Line(f"{__name__}:damaged"))
    analyzer = Analyzer(FLAGGING)
    analysis = analyzer.analyze([Frame(portrait, 0, 0)], MediaInfo("image", "", 512, 512, 0, 1), detectors=["damaged"])
    analyzer.close()
    assert [report.reason for report in analysis.detectors] == ["detector_failed"]
    (record,) = caplog.records
    assert "damaged failed: Install it again." in record.getMessage()
    assert record.exc_info is None


def test_a_detector_without_calibration_is_shown_and_moves_nothing(
    analyzer: Analyzer, portrait: Rgb, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(registry.DETECTORS, "new", registry.Line(f"{__name__}:new"))
    info = MediaInfo("image", "image/png", 512, 512, 0.0, 1)
    usual = picture(analyzer, portrait)
    both = analyzer.analyze([Frame(portrait, 0, 0)], info, detectors=["new", "meso4"], expected=20)
    assert (both.probability, both.interval, both.p_value) == (usual.probability, usual.interval, usual.p_value)
    assert both.kinds == usual.kinds
    assert both.segments == usual.segments, "neither faces' scores nor heatmaps are its own"
    report = both.detectors[0]
    assert (report.score, report.weight, report.band) == (0.999, 0.0, "uncertain")
    assert (report.reason, report.evidence) == ("not_calibrated", "asked for 20 frames")
    alone = analyzer.analyze([Frame(portrait, 0, 0)], info, detectors=["new"])
    assert (alone.probability, alone.reasons) == (None, ("not_calibrated",))


@pytest.mark.parametrize(("intercept", "kind"), [(5.5, "synthetic"), (4.0, "face_swap")])
def test_the_stronger_of_two_hypotheses_decides_and_is_named(
    portrait: Rgb, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, intercept: float, kind: str
) -> None:
    monkeypatch.setitem(registry.DETECTORS, "new", registry.Line(f"{__name__}:new"))
    known = calibrate.load(FLAGGING)
    new_scale = Platt(0.01, intercept, 1.0, 6.0, ((0.01, intercept),), hypothesis="synthetic")
    both = replace(
        known,
        detectors={**known.detectors, "new": new_scale},
        fake={**known.fake, "synthetic": (-1.0, 1.0)},
    )
    (tmp_path / "c.toml").write_text(calibrate.written(both))
    analyzer = Analyzer(tmp_path / "c.toml", ["meso4", "new"])
    analysis = picture(analyzer, portrait)
    analyzer.close()
    assert analysis.kinds == (kind,)
    reports = {{"meso4": "face_swap", "new": "synthetic"}[report.name]: report for report in analysis.detectors}
    assert {name: report.weight for name, report in reports.items()} == {
        name: float(name == kind) for name in both.fake
    }
    assert sum(report.contribution for report in reports.values()) == reports[kind].contribution
    assert analysis.probability == pytest.approx(ensemble.sigmoid(reports[kind].contribution), abs=1e-6)
    assert analysis.p_value == 1 / 200, "genuine items count with their stronger sum: nothing is added for asking twice"


def test_contributions_are_the_log_odds_of_the_verdict(portrait: Rgb) -> None:
    analyzer = Analyzer()
    analysis = picture(analyzer, portrait)
    analyzer.close()
    assert analysis.probability is not None
    total = sum(report.contribution for report in analysis.detectors) + ensemble.logit(analysis.prior)
    assert total == pytest.approx(ensemble.logit(analysis.probability), abs=1e-6)
    assert all((report.contribution != 0) == (report.weight > 0) for report in analysis.detectors)


def test_unknown_detectors_are_refused(analyzer: Analyzer, portrait: Rgb) -> None:
    with pytest.raises(UnknownDetector, match="meso4"):
        Analyzer(FLAGGING, ["nonsense"])
    with pytest.raises(UnknownDetector):
        analyzer.analyze([], MediaInfo("image", "", 1, 1, 0, 1), detectors=["nonsense"])


def test_the_reference_faces_go_through_the_whole_line(data: Path, limits: DecodeLimits) -> None:
    analyzer = Analyzer()
    for path in sorted((data / "reference_faces").rglob("*.[jp][pn]g")):
        analysis = analyzer.analyze(decode(path, limits, 1), probe(path, limits))
        assert analysis.probability is None or 0 <= analysis.probability <= 1
    analyzer.close()
