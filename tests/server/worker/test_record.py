"""From an analysis to rows and pictures: all or nothing, once for the same bytes, and fenced by the attempt."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
from sqlalchemy import func, select, update

from models.types import (
    Analysis,
    Coverage,
    Credentials,
    DetectorReport,
    ForensicMap,
    Mark,
    MediaInfo,
    Pdq,
    Provenance,
    Scale,
    Segment,
    ShownFace,
    ShownFrame,
)
from server import identity
from server.errors import MediaGone, StorageFull
from server.options import Options
from server.settings import Settings
from server.store import checks, evidence, hashes, leases, prefixes, verdicts
from server.store.checks import Wish
from server.store.db import Database, iso, utc_now
from server.store.evidence import EvidenceStore
from server.store.tables import AnalysisRow, Check, DetectorResult, Evidence, Location, Media, MediaHash, VerdictRow
from server.worker import arrive, record
from server.worker.arrive import Address, Arrived
from server.worker.lease import Lease, LeaseLost
from server.worker.tools import Tools
from tests.server.store import rows

URL = "https://example.org/a.jpg"
SHA256 = rows.sha256("bytes")
INFO = MediaInfo("image", "image/jpeg", 640, 480, 0.0, 1)
FRAME = ShownFrame(b"frame", 640, 480)
ANALYSIS = Analysis(
    probability=0.91234567, interval=(0.82, 0.96), p_value=0.001, fake_quantile=0.9, kinds=("face_swap",),
    reasons=("detectors_disagree",), coverage=Coverage(1, 1, 1, 1, 0.0),
    detectors=(
        DetectorReport("meso4", "1", "high", 0.95123456, 0.4, 310, contribution=1.23456),
        DetectorReport("other", "1", "abstained", None, 0.0, 2, reason="too_short"),
    ),
    segments=(
        Segment(0.0, 1.23456, 0, 0.95, (
            ShownFace(0.0, (1.4, 2.6, 100.0, 99.9), 0.951111, b"face", b"heatmap", FRAME),
            ShownFace(1.0, (0.0, 0.0, 9.0, 9.0), 0.5, b"other face", None),
            ShownFace(0.0, (9.0, 9.0, 9.0, 9.0), 0.4, b"third face", None, FRAME),
        ), ((0.0, 0.951111), (1.0, 0.5))),
    ),
    calibration="2026-11-20", prior=0.5, scale=Scale(None, 0.123456, 0.35, 0.65),
    forensics=(ForensicMap("error_level", b"map", "Bright where it changes."),), timings={"faces": 0.123456},
)  # fmt: skip


def stand_in(pipeline: str) -> Any:
    """As much of an analyzer as recording asks: its version and its calibrated thresholds."""
    return SimpleNamespace(pipeline=pipeline, calibration=SimpleNamespace(likely_p=0.02, no_evidence_quantile=0.1))


class Line:
    """A worker's tools on a real database and evidence folder, and checks to end with them."""

    def __init__(self, database: Database, settings: Settings) -> None:
        self.database = database
        self.folder = settings.data_dir / "evidence"
        self.settings = settings
        self.user = rows.user(database)
        self.tools = self.with_pipeline("p1")

    def with_pipeline(self, pipeline: str) -> Tools:
        store = EvidenceStore(f"file://{self.folder}")
        return Tools(self.settings, self.database, store, stand_in(pipeline), cast(Any, None))

    def check(self, wish: Wish) -> tuple[Check, Lease]:
        with self.database.write() as session:
            checks.submit(session, wish, self.user, queue_limit=100)
        with self.database.write() as session:
            claimed = leases.claim(session, "me", 60.0, 3)
            assert claimed is not None
        return claimed, Lease(self.database, claimed.id, claimed.attempt, 60.0)

    def fetched(self, url: str = URL, **other: Any) -> tuple[Check, Lease, Arrived]:
        keys = identity.keys(url)
        wish = Wish(source="url", acquisition="download", url=url, url_key=keys.canonical, **other)
        address = Address(keys, '"etag"', None, timedelta(hours=1), downloaded=True)
        return *self.check(wish), Arrived(Path("/none"), SHA256, 10, "image/jpeg", True, address)

    def uploaded(self, acquisition: str = "upload", **other: Any) -> tuple[Check, Lease, Arrived]:
        wish = Wish(source="file", acquisition=acquisition, sha256=SHA256, spooled="x.jpg", **other)
        return *self.check(wish), Arrived(Path("/none"), SHA256, 10, "", True)

    def finish(
        self, work: tuple[Check, Lease, Arrived], tools: Tools | None = None, analysis: Analysis = ANALYSIS
    ) -> None:
        check, lease, arrived = work
        record.finished(check, lease, tools or self.tools, arrived, INFO, analysis)

    def count(self, table: Any) -> int:
        with self.database.read() as session:
            return session.scalar(select(func.count()).select_from(table)) or 0

    def one(self, table: Any) -> Any:
        with self.database.read() as session:
            return session.scalars(select(table)).one()

    def state(self, check: Check) -> Check:
        with self.database.read() as session:
            return checks.get(session, check.id)

    def verdict(self, check: Check) -> verdicts.Known:
        with self.database.read() as session:
            verdict_id = checks.get(session, check.id).verdict_id
            assert verdict_id is not None
            return verdicts.get(session, verdict_id)

    def pictures(self) -> list[str]:
        return sorted(path.name for path in self.folder.rglob("*") if path.is_file())


@pytest.fixture
def sqlite_line(database: Database, settings: Settings) -> Line:
    return Line(database, settings)


@pytest.fixture
def line(any_database: Database, settings: Settings) -> Line:
    return Line(any_database, settings)


def test_everything_is_written_once(line: Line) -> None:
    check, lease, arrived = line.fetched()
    line.finish((check, lease, arrived))
    tables = (Media, AnalysisRow, DetectorResult, VerdictRow, Evidence, Location)
    assert [line.count(table) for table in tables] == [1, 1, 2, 1, 6, 1]
    media = line.one(Media)
    assert (media.sha256, media.kind, media.mime, media.size) == (SHA256, "image", "image/jpeg", 10)
    assert (media.width, media.height, media.complete) == (640, 480, True)
    analysis = line.one(AnalysisRow)
    assert (analysis.check_id, analysis.attempt, analysis.pipeline) == (check.id, lease.attempt, "p1")
    assert analysis.timings == {"faces": 0.1235}
    ended = line.state(check)
    assert (ended.state, ended.progress, ended.cache, ended.dedupe) == ("complete", 1.0, None, None)


def test_the_verdict_as_documented(sqlite_line: Line) -> None:
    check, lease, arrived = sqlite_line.fetched()
    sqlite_line.finish((check, lease, arrived))
    known = sqlite_line.verdict(check)
    body = known.verdict.body
    assert json.loads(json.dumps(body)) == body
    assert (body["label"], body["probability"], body["interval"]) == ("manipulation_likely", 0.9123, [0.82, 0.96])
    assert (body["kinds"], body["reasons"], body["pipeline"]) == (["face_swap"], ["detectors_disagree"], "p1")
    assert body["media"] == {"sha256": SHA256, "kind": "image", "duration": 0.0, "width": 640, "height": 480}
    assert body["coverage"]["acquisition"] == "download"
    assert [(d["name"], d["band"], d["score"]) for d in body["detectors"]] == [
        ("meso4", "high", 0.9512), ("other", "abstained", None),
    ]  # fmt: skip
    assert [d["contribution"] for d in body["detectors"]] == [1.2346, 0.0]
    assert body["scale"] == {"likely": None, "no_evidence": 0.1235, "low": 0.35, "high": 0.65}
    (segment,) = body["segments"]
    assert [(made["name"], made["reading"]) for made in body["forensics"]] == [
        ("error_level", "Bright where it changes."),
    ]  # fmt: skip
    assert segment["timeline"] == [{"t": 0.0, "score": 0.9511}, {"t": 1.0, "score": 0.5}]
    assert (segment["start"], segment["end"], segment["frames"][0]["box"]) == (0.0, 1.235, [1, 3, 100, 100])
    assert (known.verdict.label, known.verdict.probability) == ("manipulation_likely", 0.9123)
    assert known.verdict.expires_at - known.verdict.created_at == timedelta(days=30)


def test_every_picture_has_a_row_and_its_bytes(sqlite_line: Line) -> None:
    check, lease, arrived = sqlite_line.fetched()
    sqlite_line.finish((check, lease, arrived))
    body = sqlite_line.verdict(check).verdict.body
    first, second, third = body["segments"][0]["frames"]
    assert (second["heatmap"], second["frame"], second["frame_size"]) == (None, None, None)
    assert (third["frame"], third["frame_size"]) == (first["frame"], [640, 480]), "people of one frame share it"
    shown = {
        first["face"]: b"face", first["heatmap"]: b"heatmap", first["frame"]: b"frame", second["face"]: b"other face",
        third["face"]: b"third face", body["forensics"][0]["picture"]: b"map",
    }  # fmt: skip
    for address, content in shown.items():
        key = address.removeprefix("/api/v1/evidence/")
        assert sqlite_line.tools.evidence.read(key) == content
        with sqlite_line.database.read() as session:
            picture = evidence.find(session, key)
        assert (picture.size, picture.mime, picture.public) == (len(content), "image/jpeg", True)
    assert len(sqlite_line.pictures()) == len(shown)


def test_fetched_bytes_are_public_and_their_address_answers(line: Line) -> None:
    work = line.fetched()
    line.finish(work)
    with line.database.read() as session:
        known = verdicts.by_url(session, identity.keys(URL).canonical)
        assert known is not None
        assert known.media.public
        assert known.location is not None
        assert (known.location.url, known.location.etag) == (URL, '"etag"')
        assert known.location.expires_at - known.location.fetched_at == timedelta(hours=1)
        assert prefixes.state(session).keys == 1


@pytest.mark.parametrize("acquisition", ["upload", "background", "canvas", "screenshot"])
def test_what_a_person_brought_is_private_and_answers_no_address(sqlite_line: Line, acquisition: str) -> None:
    work = sqlite_line.uploaded(acquisition, claimed_url=URL)
    sqlite_line.finish(work)
    assert not sqlite_line.one(Media).public
    assert sqlite_line.count(Location) == 0
    with sqlite_line.database.read() as session:
        assert verdicts.by_url(session, identity.keys(URL).canonical) is None
        assert checks.asked_for(session, sqlite_line.one(Media).id, sqlite_line.user)
    label = "inconclusive" if acquisition in ("canvas", "screenshot") else "manipulation_likely"
    assert sqlite_line.verdict(work[0]).verdict.label == label


def test_found_at_an_address_once_is_public_for_good(line: Line) -> None:
    line.finish(line.uploaded())
    assert not line.one(Media).public
    line.finish(line.fetched())
    assert line.one(Media).public
    line.finish(line.uploaded(force=True))
    assert line.one(Media).public


def test_nobody_caps_what_others_are_told_by_claiming_a_capture(line: Line) -> None:
    claimed, fetched, again = line.uploaded("canvas"), line.fetched(), line.uploaded("screenshot", force=True)
    told = []
    for work in (claimed, fetched, again):
        line.finish(work)
        body = line.verdict(work[0]).verdict.body
        told.append((body["label"], body["coverage"]["acquisition"], "canvas_capture" in body["reasons"]))
    as_a_file = ("manipulation_likely", "download", False)
    assert told == [("inconclusive", "canvas", True), as_a_file, as_a_file]


def test_a_capture_is_answered_by_what_is_known_of_the_file(line: Line) -> None:
    file, capture = line.uploaded(), line.uploaded("canvas")
    line.finish(file)
    line.finish(capture)
    assert line.verdict(capture[0]).verdict.id == line.verdict(file[0]).verdict.id


def test_a_run_that_lost_its_lease_writes_nothing(line: Line) -> None:
    check, lease, arrived = line.fetched()
    with line.database.write() as session:
        session.execute(update(Check).values(attempt=Check.attempt + 1))
    with pytest.raises(LeaseLost):
        line.finish((check, lease, arrived))
    tables = (Media, AnalysisRow, DetectorResult, VerdictRow, Evidence, Location)
    assert [line.count(table) for table in tables] == [0] * 6
    assert line.pictures() == []
    assert line.state(check).state == "fetching"


def test_a_check_that_was_cancelled_stays_so(sqlite_line: Line) -> None:
    check, lease, arrived = sqlite_line.fetched()
    with sqlite_line.database.write() as session:
        checks.withdraw(session, check.id, sqlite_line.user)
    with pytest.raises(LeaseLost):
        sqlite_line.finish((check, lease, arrived))
    assert (sqlite_line.state(check).state, sqlite_line.count(VerdictRow), sqlite_line.pictures()) == (
        "cancelled",
        0,
        [],
    )


def test_a_full_disk_takes_back_the_pictures_already_written(
    sqlite_line: Line, monkeypatch: pytest.MonkeyPatch
) -> None:
    put: Callable[[str, bytes], None] = sqlite_line.tools.evidence.put

    def room_for_one(key: str, content: bytes) -> None:
        if sqlite_line.pictures():
            raise StorageFull
        put(key, content)

    monkeypatch.setattr(sqlite_line.tools.evidence, "put", room_for_one)
    work = sqlite_line.fetched()
    with pytest.raises(StorageFull):
        sqlite_line.finish(work)
    assert (sqlite_line.pictures(), sqlite_line.count(Media)) == ([], 0)


def test_the_second_finisher_of_the_same_bytes_gets_the_first_ones_verdict(line: Line) -> None:
    first, second = line.fetched(), line.fetched("https://example.org/b.jpg")
    line.finish(first)
    kept = line.pictures()
    line.finish(second)
    assert line.verdict(second[0]).verdict.id == line.verdict(first[0]).verdict.id
    assert line.state(second[0]).cache == "sha256"
    assert (line.count(Media), line.count(VerdictRow), line.count(Location)) == (1, 1, 2)
    assert line.pictures() == kept, "its own pictures are gone again"


def test_two_that_finish_at_once_make_one_verdict(line: Line, monkeypatch: pytest.MonkeyPatch) -> None:
    """The other one commits between this one's first statement and its last."""
    first, second = line.fetched(), line.uploaded()
    publish = verdicts.publish
    busy: list[threading.Thread] = []

    def slowly(*arguments: Any, **named: Any) -> VerdictRow:
        made = publish(*arguments, **named)
        if not busy:
            busy.append(threading.Thread(target=line.finish, args=(second,)))
            busy[0].start()
            busy[0].join(0.2)
            assert busy[0].is_alive()
        return made

    monkeypatch.setattr(verdicts, "publish", slowly)
    line.finish(first)
    busy[0].join(10)
    assert line.verdict(second[0]).verdict.id == line.verdict(first[0]).verdict.id
    assert line.count(VerdictRow) == 1


def test_force_makes_a_new_version(line: Line) -> None:
    first = line.fetched()
    line.finish(first)
    again = line.fetched(force=True)
    line.finish(again)
    before, after = line.verdict(first[0]).verdict, line.verdict(again[0]).verdict
    assert (after.version, after.supersedes, after.current, before.current) == (2, before.id, True, False)
    assert line.count(Media) == 1
    assert line.count(AnalysisRow) == 2


def test_a_newer_pipeline_makes_a_new_version(sqlite_line: Line) -> None:
    sqlite_line.finish(sqlite_line.fetched())
    again = sqlite_line.fetched()
    sqlite_line.finish(again, sqlite_line.with_pipeline("p2"))
    assert (sqlite_line.verdict(again[0]).verdict.version, sqlite_line.verdict(again[0]).verdict.pipeline) == (2, "p2")


def test_other_options_leave_the_usual_verdict_and_the_list_alone(sqlite_line: Line) -> None:
    sqlite_line.finish(sqlite_line.fetched())
    with sqlite_line.database.read() as session:
        before = prefixes.state(session)
    work = sqlite_line.fetched("https://example.org/b.jpg", options=Options(20))
    sqlite_line.finish(work)
    assert sqlite_line.verdict(work[0]).verdict.version == 1
    with sqlite_line.database.read() as session:
        assert prefixes.state(session) == before
        usual = verdicts.by_hash(session, SHA256)
        assert usual is not None
        assert usual.verdict.variant == ""


def test_an_address_moves_to_new_media(line: Line) -> None:
    line.finish(line.fetched())
    with line.database.read() as session:
        before = session.scalars(select(Location)).one()
    check, lease, arrived = line.fetched()
    assert arrived.address is not None
    other = replace(arrived, sha256=rows.sha256("other bytes"), address=replace(arrived.address, etag='"new"'))
    line.finish((check, lease, other))
    after = line.one(Location)
    assert (after.etag, after.media_id != before.media_id) == ('"new"', True)
    with line.database.read() as session:
        known = verdicts.by_url(session, identity.keys(URL).canonical)
    assert known is not None
    assert known.media.sha256 == other.sha256
    assert after.listed_at >= before.listed_at


def test_what_was_cut_short_says_so_and_does_not_answer_by_hash(sqlite_line: Line) -> None:
    check, lease, arrived = sqlite_line.fetched()
    sqlite_line.finish((check, lease, replace(arrived, complete=False)))
    body = sqlite_line.verdict(check).verdict.body
    assert body["reasons"] == ["detectors_disagree", "partial_coverage"]
    with sqlite_line.database.read() as session:
        assert verdicts.by_hash(session, SHA256) is None


def test_the_same_bytes_known_to_be_all_are_judged_as_such(line: Line) -> None:
    check, lease, arrived = line.fetched()
    line.finish((check, lease, replace(arrived, complete=False)))
    whole = line.uploaded()
    line.finish(whole)
    assert line.verdict(whole[0]).verdict.body["reasons"] == ["detectors_disagree"]
    assert line.one(Media).complete


def test_what_could_not_be_judged(sqlite_line: Line) -> None:
    nothing = replace(
        ANALYSIS, probability=None, interval=None, p_value=None, fake_quantile=None, kinds=(), reasons=("no_face",),
        segments=(), detectors=(), forensics=(),
    )  # fmt: skip
    work = sqlite_line.fetched()
    sqlite_line.finish(work, analysis=nothing)
    body = sqlite_line.verdict(work[0]).verdict.body
    assert (body["label"], body["probability"], body["interval"]) == ("not_assessable", None, None)
    assert (body["reasons"], sqlite_line.pictures()) == (["no_face"], [])


# what it looks like, and where it comes from

LOOKS = replace(ANALYSIS, hashes=((0.0, Pdq(bytes(range(32)), 90)),))


def test_another_that_looks_the_same_is_named_and_moves_no_label(line: Line) -> None:
    first, second = line.fetched(), line.fetched("https://example.org/b.jpg")
    line.finish(first, analysis=LOOKS)
    clean = replace(LOOKS, probability=0.1, p_value=0.9, fake_quantile=0.01)
    line.finish((*second[:2], replace(second[2], sha256=rows.sha256("saved again"))), analysis=clean)
    one, other = line.verdict(first[0]), line.verdict(second[0])
    assert one.verdict.body["match"] is None
    assert other.verdict.body["match"] == {
        "sha256": SHA256, "verdict": one.verdict.id, "label": "manipulation_likely", "basis": "ensemble",
        "checked_at": iso(one.verdict.created_at), "distance": 0, "share": 1.0,
    }  # fmt: skip
    assert (other.verdict.label, other.verdict.basis) == ("no_evidence_found", "ensemble")
    with line.database.read() as session:
        (back,) = hashes.similar(session, one.media, lambda media: media.public)
        assert back.media.id == other.media.id


def test_what_a_person_brought_is_named_to_nobody(line: Line) -> None:
    private, public = line.uploaded(), line.fetched()
    line.finish(private, analysis=LOOKS)
    line.finish((*public[:2], replace(public[2], sha256=rows.sha256("the same, found elsewhere"))), analysis=LOOKS)
    assert line.verdict(public[0]).verdict.body["match"] is None
    again = line.uploaded(force=True)
    line.finish(again, analysis=LOOKS)
    named = line.verdict(again[0]).verdict.body["match"]
    assert named["sha256"] == line.verdict(public[0]).media.sha256, "who brought it is told of what anybody may see"


def test_blank_pictures_and_halves_are_not_looked_for_later(sqlite_line: Line) -> None:
    blank = replace(ANALYSIS, hashes=((0.0, Pdq(bytes(32), 49)),))
    sqlite_line.finish(sqlite_line.fetched(), analysis=blank)
    check, lease, arrived = sqlite_line.fetched("https://example.org/half.jpg")
    half = replace(arrived, sha256=rows.sha256("half"), complete=False)
    sqlite_line.finish((check, lease, half), analysis=LOOKS)
    assert sqlite_line.count(MediaHash) == 0


@pytest.mark.parametrize(
    ("state", "label", "basis"),
    [
        ("trusted", "disclosed_synthetic", "provenance"),
        ("valid_unknown_signer", "manipulation_likely", "ensemble"),
        ("invalid", "manipulation_likely", "ensemble"),
    ],
)
def test_only_a_trusted_signer_discloses(sqlite_line: Line, state: Credentials, label: str, basis: str) -> None:
    told = Provenance(state, "A", ("trainedAlgorithmicMedia",), "P", (Mark("EXIF", "Midjourney"),))
    check, lease, arrived = sqlite_line.fetched()
    record.finished(check, lease, sqlite_line.tools, arrived, replace(INFO, provenance=told), ANALYSIS)
    verdict = sqlite_line.verdict(check).verdict
    assert (verdict.label, verdict.basis) == (label, basis)
    assert verdict.body["provenance"] == {
        "c2pa": state, "signer": "A", "source_types": ["trainedAlgorithmicMedia"], "declares_ai": True,
        "generator": "P", "marks": [{"where": "EXIF", "says": "Midjourney"}],
    }  # fmt: skip


# answered without a run


def known(line: Line) -> verdicts.Known:
    with line.database.read() as session:
        found = verdicts.by_hash(session, SHA256)
    assert found is not None
    return found


def test_known_bytes_are_answered_and_their_new_address_remembered(line: Line) -> None:
    line.finish(line.uploaded())
    check, lease, arrived = line.fetched()
    record.answered(check, lease, line.tools, replace(arrived, known=known(line), cache="sha256"))
    assert (line.state(check).state, line.state(check).cache) == ("complete", "sha256")
    assert line.verdict(check).verdict.version == 1
    with line.database.read() as session:
        assert verdicts.by_url(session, identity.keys(URL).canonical) is not None
    assert line.one(Media).public


def test_an_answer_is_fenced_too(sqlite_line: Line) -> None:
    sqlite_line.finish(sqlite_line.uploaded())
    check, lease, arrived = sqlite_line.fetched()
    with sqlite_line.database.write() as session:
        session.execute(update(Check).where(Check.id == check.id).values(attempt=Check.attempt + 1))
    answer = replace(arrived, known=known(sqlite_line), cache="sha256")
    with pytest.raises(LeaseLost):
        record.answered(check, lease, sqlite_line.tools, answer)
    assert sqlite_line.count(Location) == 0
    assert not sqlite_line.one(Media).public


# arriving


@pytest.mark.parametrize(
    ("pipeline", "force", "age", "good"),
    [
        ("p1", False, timedelta(0), True),
        ("p1", True, timedelta(0), False),
        ("p2", False, timedelta(0), False),
        ("p1", False, timedelta(days=31), False),
    ],
)
def test_may_a_verdict_stand(
    database: Database, settings: Settings, pipeline: str, force: bool, age: timedelta, good: bool
) -> None:
    line = Line(database, settings)
    line.finish(line.uploaded())
    check, _, _ = line.fetched(force=force)
    tools = line.with_pipeline(pipeline)
    with database.read() as session:
        assert arrive.still_good(session, known(line), check, tools, utc_now() + age) is good
        assert not arrive.still_good(session, None, check, tools, utc_now())


def test_an_upload_is_opened_and_recognised(database: Database, settings: Settings) -> None:
    line = Line(database, settings)
    settings.spool.mkdir()
    (settings.spool / "x.jpg").write_bytes(b"bytes")
    check, lease, _ = line.uploaded()
    arrived = arrive.bring(check, cast(Any, None), lease, line.tools)
    assert (arrived.path, arrived.sha256, arrived.size) == (settings.spool / "x.jpg", SHA256, 5)
    assert (arrived.known, arrived.address, arrived.complete) == (None, None, True)
    line.finish((check, lease, arrived))
    again, lease, _ = line.uploaded()
    arrived = arrive.bring(again, cast(Any, None), lease, line.tools)
    assert arrived.cache == "sha256"
    assert arrived.known is not None


def test_an_upload_that_is_gone_is_said(database: Database, settings: Settings) -> None:
    line = Line(database, settings)
    check, lease, _ = line.uploaded()
    with pytest.raises(MediaGone):
        arrive.bring(check, cast(Any, None), lease, line.tools)


@pytest.mark.parametrize(
    ("url", "keep"),
    [
        (URL, timedelta(hours=1)),
        (URL + "?X-Amz-Signature=abc", timedelta(minutes=10)),
        ("https://www.youtube.com/watch?v=dQw4w9WgXcQ", timedelta(days=7)),
    ],
)
def test_how_long_an_address_answers(database: Database, settings: Settings, url: str, keep: timedelta) -> None:
    assert arrive._keep(identity.keys(url), Line(database, settings).tools) == keep
