"""Where the bytes of a check come from: what is asked of a fetch, what it gives, in which order sources are tried."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from server.errors import (
    BadRequest,
    FetchError,
    HttpFailed,
    LiveStream,
    MediaRefused,
    NeedsBrowser,
    NoMedia,
    TooLarge,
    TooLong,
)
from server.fetch.gate import Gate
from server.identity import keys
from server.intake import EXTENSIONS

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


@dataclass(frozen=True)
class Job:
    """What every way of fetching works with."""

    folder: Path
    limits: FetchLimits
    progress: Progress
    gate: Gate  # knows which addresses were refused on the way


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
    from_page: bool = False  # `media_url` could not be had, and this is what the page itself gave


@dataclass(frozen=True)
class NotModified:
    """The server says that the content is still what `etag` or `last_modified` stood for."""

    etag: str | None
    last_modified: str | None


def keep(file: Path, sha256: str, mime: str) -> Path:
    """Name a file for what it holds; a server's own name never reaches the disk (decoders act on names)."""
    path = file.with_name(sha256 + EXTENSIONS[mime])
    return file.replace(path)


def fetch(request: Request, job: Job) -> Fetched | NotModified:
    """The media an address stands for. A `media_url` that fails is passed over for the page it was found on."""
    if request.media_url and request.media_url != request.url:
        media = replace(request, url=request.media_url, page_url=request.page_url or request.url)
        try:
            return _from_address(media, job)
        except (TooLarge, TooLong, LiveStream):
            raise  # the page would only lead to the same media
        except (FetchError, BadRequest, MediaRefused):
            answer = _from_address(replace(request, etag=None, last_modified=None), job)  # those were the media's own
            return replace(answer, from_page=True) if isinstance(answer, Fetched) else answer
    return _from_address(request, job)


def _from_address(request: Request, job: Job) -> Fetched | NotModified:
    """Most addresses are files and need no extractor; posts of known sites always do."""
    address = keys(request.url)
    job.gate.refused = None
    if not address.platform:
        from server.fetch import direct

        conditions = {"etag": request.etag, "last_modified": request.last_modified}
        try:
            return direct.get(address.fetch_url, job, referer=request.page_url, **conditions)
        except direct.Page:
            pass
        except NeedsBrowser:
            if not _has_extractor(address.fetch_url):
                raise
    from server.fetch import download  # imports yt-dlp, so only now

    try:
        return download.extract(address.fetch_url, job, referer=request.page_url)
    except NoMedia:
        shown = _shown_picture(address.fetch_url, job, request.page_url)
        if shown is None:
            raise
        return shown


def _shown_picture(url: str, job: Job, referer: str | None) -> Fetched | None:
    """A page without a video may be about a picture, and say which."""
    from server.fetch import direct, preview

    html, final_url = direct.page(url, job, referer=referer)
    for address in preview.pictures(html, final_url):
        try:
            found = direct.get(keys(address).fetch_url, job, referer=final_url)
        except (NoMedia, HttpFailed, BadRequest, MediaRefused, direct.Page):
            continue  # the next may do
        if isinstance(found, Fetched) and found.mime.startswith("image/"):
            return replace(found, final_url=final_url, extractor="preview")
    return None


def _has_extractor(url: str) -> bool:
    """Some sites refuse a plain GET and still answer yt-dlp, which asks their programming interface."""
    from server.fetch import download

    return download.knows(url)
