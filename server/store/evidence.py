"""Evidence pictures: rows that say what they are, bytes in any store fsspec knows."""

from __future__ import annotations

import contextlib
import errno
from dataclasses import dataclass

import fsspec
from sqlalchemy import select
from sqlalchemy.orm import Session

from server.errors import NotFound, StorageFull
from server.store.tables import AnalysisRow, Evidence, Media


@dataclass(frozen=True)
class Picture:
    """Evidence as it is looked up: whether a person may see it depends on the media it shows."""

    id: str
    kind: str
    mime: str
    size: int
    media_id: str
    public: bool


class EvidenceStore:
    """Put, read and delete by id. Ids are random, so a stray file can be told from a kept one by its missing row."""

    def __init__(self, url: str) -> None:
        self.filesystem, self.root = fsspec.core.url_to_fs(url, auto_mkdir=True)

    def put(self, evidence_id: str, content: bytes) -> None:
        try:
            self.filesystem.pipe_file(self._path(evidence_id), content)
        except OSError as error:
            with contextlib.suppress(OSError):
                self.delete(evidence_id)  # half a picture may have been written, of which nobody knows
            if error.errno in (errno.ENOSPC, errno.EDQUOT):
                raise StorageFull from error
            raise

    def read(self, evidence_id: str) -> bytes:
        try:
            content: bytes = self.filesystem.cat_file(self._path(evidence_id))
        except FileNotFoundError:
            raise NotFound("This picture is no longer kept.") from None
        return content

    def delete(self, evidence_id: str) -> None:
        with contextlib.suppress(FileNotFoundError):
            self.filesystem.rm_file(self._path(evidence_id))

    def _path(self, evidence_id: str) -> str:
        return f"{self.root}/{evidence_id[:2]}/{evidence_id}"


def find(session: Session, evidence_id: str) -> Picture:
    row = session.execute(
        select(Evidence.id, Evidence.kind, Evidence.mime, Evidence.size, Media.id, Media.public)
        .join(AnalysisRow, AnalysisRow.id == Evidence.analysis_id)
        .join(Media, Media.id == AnalysisRow.media_id)
        .where(Evidence.id == evidence_id)
    ).one_or_none()
    if row is None:
        raise NotFound("There is no picture of that id.")
    return Picture(*row)
