"""Evidence pictures: bytes under an id, rows that say whose they are."""

from __future__ import annotations

import errno
from pathlib import Path
from typing import Any

import pytest

from server.errors import NotFound, StorageFull
from server.store import evidence
from server.store.db import Database
from server.store.evidence import EvidenceStore, Picture
from server.store.tables import AnalysisRow, Evidence, new_id
from tests.server.store import rows

CONTENT = b"\xff\xd8\xff\x00 a picture"


@pytest.fixture(params=["files", "memory"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> EvidenceStore:
    return EvidenceStore(f"file://{tmp_path}/evidence" if request.param == "files" else f"memory://{tmp_path}")


def files(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


def test_what_is_put_is_read_until_it_is_deleted(store: EvidenceStore) -> None:
    key, other = new_id(), new_id()
    store.put(key, CONTENT)
    store.put(other, b"")
    assert (store.read(key), store.read(other)) == (CONTENT, b"")
    store.delete(key)
    with pytest.raises(NotFound):
        store.read(key)
    assert store.read(other) == b""


def test_deleting_what_is_gone_is_no_error(store: EvidenceStore) -> None:
    store.delete(new_id())


def test_what_was_never_put_is_not_found(store: EvidenceStore) -> None:
    with pytest.raises(NotFound, match="no longer kept"):
        store.read(new_id())


def test_a_second_store_reads_what_the_first_put(tmp_path: Path) -> None:
    EvidenceStore(f"file://{tmp_path}/evidence").put("abc", CONTENT)
    assert EvidenceStore(f"file://{tmp_path}/evidence").read("abc") == CONTENT
    assert EvidenceStore(str(tmp_path / "evidence")).read("abc") == CONTENT


def test_many_pictures_spread_over_folders(tmp_path: Path) -> None:
    store = EvidenceStore(f"file://{tmp_path}")
    store.put("ab" + "0" * 30, CONTENT)
    assert files(tmp_path) == [tmp_path / "ab" / ("ab" + "0" * 30)]


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT])
def test_a_full_disk_is_named_and_leaves_no_half_picture(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    store = EvidenceStore(f"file://{tmp_path}")

    def half(path: str, content: bytes, **_: Any) -> None:
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        Path(path).write_bytes(content[:4])
        raise OSError(number, "no room")

    monkeypatch.setattr(store.filesystem, "pipe_file", half)
    with pytest.raises(StorageFull):
        store.put(new_id(), CONTENT)
    assert files(tmp_path) == []


def test_another_error_of_the_disk_stays_what_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = EvidenceStore(f"file://{tmp_path}")

    def fail(*_: Any, **__: Any) -> None:
        raise PermissionError(errno.EACCES, "not yours")

    monkeypatch.setattr(store.filesystem, "pipe_file", fail)
    with pytest.raises(PermissionError):
        store.put(new_id(), CONTENT)


@pytest.mark.parametrize("public", [True, False])
def test_a_picture_is_as_public_as_its_media(any_database: Database, public: bool) -> None:
    with any_database.write() as session:
        media = rows.media(session, public=public)
        analysis = AnalysisRow(media_id=media.id, pipeline="p1", variant="", attempt=1, timings={})
        session.add(analysis)
        session.flush()
        session.add(Evidence(id="e1", analysis_id=analysis.id, kind="face", mime="image/jpeg", size=7))
    with any_database.read() as session:
        assert evidence.find(session, "e1") == Picture("e1", "face", "image/jpeg", 7, media.id, public)


def test_there_is_no_such_picture(any_database: Database) -> None:
    with any_database.read() as session, pytest.raises(NotFound):
        evidence.find(session, "none")
