"""A web application on a temporary database, people with tokens, and verdicts to find."""

from __future__ import annotations

import io
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from server import verdict as rules
from server.identity import keys
from server.settings import Settings
from server.store import people, verdicts
from server.store.db import Database, utc_now
from server.store.evidence import EvidenceStore
from server.store.rights import SCOPES
from server.store.tables import AnalysisRow, Check, Evidence, Location, Media, Token, new_id
from server.web.app import create_app

JPEG = b"\xff\xd8\xff\xe0" + b"\0" * 200
PIPELINE = "p1"
NAMES = {"viewer": "vera", "moderator": "mona", "manager": "max", "admin": "ada"}


@dataclass
class Clock:
    now: datetime = field(default_factory=lambda: datetime.now(UTC))

    def __call__(self) -> datetime:
        return self.now


@dataclass
class World:
    """What a test needs to set the scene; it talks to the store, never to the application."""

    settings: Settings
    database: Database
    evidence: EvidenceStore
    clock: Clock

    def token(self, role: str = "viewer", *scopes: str, expired: bool = False, name: str | None = None) -> str:
        with self.database.write() as session:
            owner = name or NAMES[role]
            if people.find_user(session, owner) is None:
                people.add_user(session, owner, None, role)
            ends = self.clock() - timedelta(minutes=1) if expired else None
            return people.create_token(session, owner, name="test", role=role, scopes=scopes or SCOPES, expires_at=ends)

    def bearer(self, role: str = "viewer", *scopes: str, **more: Any) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token(role, *scopes, **more)}"}

    def revoke(self, secret: str) -> None:
        with self.database.write() as session:
            row = session.query(Token).filter_by(secret_hash=people.hash_secret(secret)).one()
            people.revoke_token(session, row.id)

    def verdict(
        self,
        url: str | None = "https://example.org/a.jpg",
        *,
        sha256: str = "a" * 64,
        label: str = "manipulation_likely",
        pipeline: str = PIPELINE,
        public: bool = True,
        listed: bool = True,
        days: float = 30,
        url_hours: float = 1,
        check_id: str | None = None,
    ) -> str:
        now = utc_now()
        with self.database.write() as session:
            media = session.query(Media).filter_by(sha256=sha256).one_or_none() or Media(
                sha256=sha256, kind="image", mime="image/jpeg", size=10, width=640, height=480, duration=0.0,
                public=public, acquisition="download" if public else "upload",
            )  # fmt: skip
            session.add(media)
            session.flush()
            analysis = AnalysisRow(
                media_id=media.id, pipeline=pipeline, variant="", check_id=check_id, attempt=1, timings={}
            )
            session.add(analysis)
            session.flush()
            picture = Evidence(id=new_id(), analysis_id=analysis.id, kind="face", mime="image/jpeg", size=len(JPEG))
            session.add(picture)
            self.evidence.put(picture.id, JPEG)
            row = verdicts.publish(
                session, media, variant="", pipeline=pipeline, body=body(sha256, label, picture.id),
                analysis_id=analysis.id, keep=timedelta(days=days),
            )  # fmt: skip
            if url is not None:
                found = keys(url)
                session.merge(
                    Location(
                        url_key=found.canonical, exact_key=found.exact, url=url, media_id=media.id, fetched_at=now,
                        expires_at=now + timedelta(hours=url_hours), listed_at=now if listed else None,
                    )
                )  # fmt: skip
            return row.id

    def picture(self, verdict_id: str) -> str:
        with self.database.read() as session:
            path: str = verdicts.get(session, verdict_id).verdict.body["segments"][0]["frames"][0]["face"]
            return path

    def set_check(self, check_id: str, **values: Any) -> None:
        with self.database.write() as session:
            check = session.get_one(Check, check_id)
            for name, value in values.items():
                setattr(check, name, value)


def body(sha256: str, label: str, picture: str) -> dict[str, Any]:
    return rules.body(
        decided=label,  # type: ignore[arg-type]
        media={"sha256": sha256, "kind": "image", "duration": 0.0, "width": 640, "height": 480},
        kinds=["face_swap"],
        probability=0.91,
        interval=[0.82, 0.96],
        prior=0.5,
        calibration="2026-11-20",
        scale={"likely": 0.9, "no_evidence": 0.1, "low": 0.35, "high": 0.65},
        why=["detectors_disagree"],
        coverage={
            "frames": 1, "of_frames": 1, "faces": 1, "tracks": 1, "seconds": 0.0, "acquisition": "download",
        },
        detectors=[
            {"name": "meso4", "version": "1", "band": "high", "score": 0.95, "weight": 1.0, "ms": 31, "reason": None,
             "evidence": "asked for 20 frames", "contribution": 2.3136},
        ],
        segments=[
            {"start": 0.0, "end": 0.0, "track": 0, "score": 0.95, "frames": [
                {"t": 0.0, "box": [10, 20, 96, 96], "score": 0.95, "face": f"/api/v1/evidence/{picture}",
                 "heatmap": None, "frame": f"/api/v1/evidence/{picture}", "frame_size": [640, 480]}],
             "timeline": [{"t": 0.0, "score": 0.95}]},
        ],
        forensics=[
            {"name": "noise", "picture": f"/api/v1/evidence/{picture}", "reading": "How noisy each place is."},
        ],
        pipeline=PIPELINE,
        provenance={
            "c2pa": "valid_unknown_signer", "signer": "Honest Paper", "source_types": ["trainedAlgorithmicMedia"],
            "declares_ai": True, "generator": "Painter", "marks": [{"where": "EXIF", "says": "Midjourney"}],
        },
    )  # fmt: skip


def upload(content: bytes = JPEG, **fields: Any) -> dict[str, Any]:
    return {"file": (io.BytesIO(content), "any.name"), **fields}


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(data_dir=tmp_path / "data", max_upload_bytes=1024 * 1024)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def world(settings: Settings, database: Database, clock: Clock) -> World:
    return World(settings, database, EvidenceStore(settings.evidence), clock)


@pytest.fixture
def app(settings: Settings, database: Database, clock: Clock) -> Flask:
    return build(settings, database, clock)


def detector(name: str, status: str = "installed") -> dict[str, Any]:
    return {
        "name": name, "version": "1", "status": status, "installed": status == "installed", "card": f"# Card of {name}",
    }  # fmt: skip


MEASURED = {
    "dataset": "held-out groups", "genuine": 2060, "genuine_flagged": 0.0097,
    "manipulated": [{"kind": "face_swap", "items": 1492, "flagged": 0.45, "cleared": 0.05}],
}  # fmt: skip


def build(settings: Settings, database: Database, clock: Clock | None = None, **more: Any) -> Flask:
    app = create_app(
        settings,
        database,
        catalogue=lambda: [detector("meso4"), detector("blend"), detector("sequence", "not installed: import it")],
        unimported=lambda: [{"file": "model.pt", "status": "not imported: `unmask models import sequence model.pt`"}],
        measured=MEASURED,
        pipeline=lambda: PIPELINE,
        clock=clock or Clock(),
        **more,
    )
    app.testing = True
    app.config["PROPAGATE_EXCEPTIONS"] = False  # an unexpected error is answered as in service
    return app


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    return app.test_client()
