"""Where the bytes of a check come from: what is asked of a fetch, what it gives, in which order sources are tried."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

Progress = Callable[[int, int | None], None]  # (bytes so far, bytes in all when known)


@dataclass(frozen=True)
class Request:
    """What to fetch. `media_url` is tried first (with `page_url` as Referer), then `url`."""

    url: str
    page_url: str | None = None
    media_url: str | None = None
    etag: str | None = None
    last_modified: str | None = None


@dataclass(frozen=True)
class FetchLimits:
    max_bytes: int
    page_bytes: int
    requests: int
    seconds: float
    max_seconds: float  # of the video
    allow: str  # private networks that may be fetched from, comma separated


@dataclass(frozen=True)
class Fetched:
    path: Path
    sha256: str
    size: int
    mime: str
    final_url: str
    etag: str | None
    last_modified: str | None
    title: str | None
    extractor: str  # "direct" or yt-dlp's name of the site
    complete: bool  # False: the server hung up early, the file is cut short


@dataclass(frozen=True)
class NotModified:
    """The server says that the content is still what `etag` or `last_modified` stood for."""

    etag: str | None
    last_modified: str | None
