"""The parent's side of the child: addresses and files go in, bytes on disk and frames come out.

with MediaChild(settings) as child:
    fetched = child.fetch(url)
    info, frames = child.decode(fetched.path, count=60)
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from types import TracebackType

from models.types import Frame, MediaInfo
from server.fetch.sources import Fetched, NotModified, Progress
from server.settings import Settings


class MediaChild:
    """Holds the child processes and the folder of one check; leaving the `with` kills the one and removes the other.

    A fetched file lives in that folder: move it away to keep it. To be used by the thread that made it.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    def __enter__(self) -> MediaChild:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """May be called from another thread, to cancel: the call that waits ends with ChildDied."""

    def fetch(
        self,
        url: str,
        *,
        page_url: str | None = None,
        media_url: str | None = None,
        etag: str | None = None,
        last_modified: str | None = None,
        progress: Progress | None = None,
    ) -> Fetched | NotModified:
        raise NotImplementedError

    def probe(self, path: Path) -> MediaInfo:
        raise NotImplementedError

    def decode(self, path: Path, count: int) -> tuple[MediaInfo, Iterator[Frame]]:
        """Up to `count` frames spread over the media, handed out as they are decoded."""
        raise NotImplementedError


def clean_spool(settings: Settings, older_than: float = 3600.0) -> int:
    """Remove folders that killed workers left behind; returns how many. `older_than` in seconds."""
    raise NotImplementedError
