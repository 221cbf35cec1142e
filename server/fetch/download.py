"""yt-dlp, bounded: pages, platforms and playlists (HLS, DASH) to one file.

Its own options do not bound it (measured: 4.5 GB from one endless segment, 3.8 GB of memory from one endless page,
ffmpeg outliving it by minutes), so every byte it reads passes the budgets of `BoundedYoutubeDL`.
"""

from __future__ import annotations

import hashlib
import shutil
import time
from pathlib import Path
from typing import Any, NoReturn

import yt_dlp
from yt_dlp.extractor import gen_extractor_classes
from yt_dlp.networking.common import _REQUEST_HANDLERS
from yt_dlp.networking.exceptions import RequestError
from yt_dlp.postprocessor.ffmpeg import FFmpegPostProcessor
from yt_dlp.utils import DownloadCancelled

from server.errors import FetchError, FetchTimeout, LiveStream, NoMedia, UnmaskError
from server.fetch import playlist
from server.fetch.failures import from_extractor
from server.fetch.sources import Fetched, FetchLimits, Job, keep
from server.intake import HEAD_BYTES, sniff, too_large

CHUNK = 64 * 1024
SILENCE_SECONDS = 10
MAX_TITLE = 200
_SCHEMES = ("http://", "https://")
_NO_FFMPEG = "/nonexistent"
_LIVE = frozenset({"is_live", "is_upcoming", "post_live"})


class _Stop(DownloadCancelled):  # type: ignore[misc]
    """Ends yt-dlp whatever it is doing: the one kind of error that its retry loops let through."""


class BoundedYoutubeDL(yt_dlp.YoutubeDL):  # type: ignore[misc]
    """One backend (Requests, which goes through the gate), and a budget for everything that is read.

    `stopped` holds the reason when a budget ran out; yt-dlp drops arguments of exceptions on some paths.
    """

    def __init__(self, options: dict[str, Any], limits: FetchLimits) -> None:
        self._limits = limits
        self._requests = self._bytes = 0
        self._deadline = time.monotonic() + limits.seconds
        self.stopped: UnmaskError | None = None
        super().__init__(options, auto_init="no_verbose_header")

    def build_request_director(self, handlers: Any, preferences: Any = None) -> Any:
        chosen = [handler for handler in _REQUEST_HANDLERS.values() if handler.RH_KEY == "Requests"]
        return super().build_request_director(chosen, preferences)

    def urlopen(self, req: Any) -> Any:
        url = req if isinstance(req, str) else req.url
        if not url.lower().startswith(_SCHEMES):
            raise RequestError(f"refused scheme: {url[:20]}")
        self._requests += 1
        if self._requests > self._limits.requests:
            self.stop(
                FetchError("The page needs too many requests.", details={"limit_requests": self._limits.requests})
            )
        self._spend(0)
        response = super().urlopen(req)
        length = response.headers.get("Content-Length", "")
        if length.isdigit() and int(length) > self._limits.max_bytes:
            self.stop(too_large(self._limits.max_bytes))
        self._meter(response)
        return response

    def stop(self, error: UnmaskError) -> NoReturn:
        self.stopped = self.stopped or error
        raise _Stop(error.message)

    def _spend(self, amount: int) -> None:
        self._bytes += amount
        if self._bytes > self._limits.max_bytes + self._limits.page_bytes:
            self.stop(too_large(self._limits.max_bytes))
        if time.monotonic() > self._deadline:
            self.stop(FetchTimeout())

    def _meter(self, response: Any) -> None:
        """Reading in parts is for media, reading everything at once is for pages and playlists."""
        read_raw = response.read
        start = bytearray()  # an extractor may read a little first to see what it has

        def read(amount: int | None = None) -> bytes:
            if amount is not None:
                part: bytes = read_raw(min(amount, CHUNK))
                self._spend(len(part))
                if len(start) < HEAD_BYTES:
                    start.extend(part)
                return part
            page = bytearray()
            while part := read_raw(CHUNK):
                self._spend(len(part))
                page += part
                if len(page) > self._limits.page_bytes:
                    self.stop(NoMedia("The page is too large.", details={"limit_bytes": self._limits.page_bytes}))
            try:
                followed = playlist.followed(bytes(start + page), self._limits.max_seconds)
            except FetchError as error:
                self.stop(error)
            return bytes(page) if start else followed

        response.read = read


def options(folder: Path, limits: FetchLimits) -> dict[str, Any]:
    """Each is here for the reason in the module's docstring, or to keep yt-dlp off the disk and other programs."""
    return {
        "paths": {"home": str(folder), "temp": str(folder)},
        "outtmpl": {"default": "media.%(ext)s"},
        # No sound is needed. `res` is the smaller side, so that upright videos count as they should; where nothing
        # of 720 or less is offered, the smallest above it is taken.
        "format": "bv*/b",
        "format_sort": ["res:720", "vcodec:h264", "proto"],
        "noplaylist": True,
        "playlist_items": "1",
        "lazy_playlist": True,
        "max_filesize": limits.max_bytes,
        "socket_timeout": SILENCE_SECONDS,
        "retries": 1,
        "fragment_retries": 1,
        "extractor_retries": 0,
        "file_access_retries": 0,
        "skip_unavailable_fragments": False,
        "concurrent_fragment_downloads": 1,
        "hls_prefer_native": True,
        "external_downloader": {"default": "native"},
        "ffmpeg_location": _NO_FFMPEG,
        "fixup": "never",
        "postprocessors": [],
        "js_runtimes": {},
        "remote_components": (),
        "proxy": "",
        "cachedir": False,
        "cookiefile": None,
        "cookiesfrombrowser": None,
        "usenetrc": False,
        "enable_file_urls": False,
        "allow_unplayable_formats": False,
        "check_formats": False,
        "dynamic_mpd": False,
        "geo_bypass": False,
        "updatetime": False,
        "continuedl": False,
        "nopart": True,
        "overwrites": True,
        "ignoreerrors": False,
        "default_search": "error",
        "quiet": True,
        "no_warnings": True,
        "noprogress": True,
        "logger": _Silent(),
    }


class _Silent:
    """yt-dlp's messages quote addresses and pages; what matters of them comes as an exception."""

    def debug(self, message: str) -> None: ...
    def warning(self, message: str) -> None: ...
    def error(self, message: str) -> None: ...


def knows(url: str) -> bool:
    """Is there an extractor made for this site?"""
    return any(each.suitable(url) and each.ie_key() != "Generic" for each in gen_extractor_classes())


def warm() -> None:
    """Have every extractor import and compile what the first page would make it: a second that each child saves."""
    limits = FetchLimits(max_bytes=0, page_bytes=0, requests=0, seconds=0.0, max_seconds=0.0)
    with BoundedYoutubeDL(options(Path(), limits), limits) as ydl:
        ydl.get_info_extractor("Generic")
        for each in gen_extractor_classes():
            each.suitable("https://example.org/")
            list(each.extract_from_webpage(ydl, "https://example.org/", "<html></html>"))


def extract(url: str, job: Job, *, referer: str | None = None) -> Fetched:
    """The first video of a page or playlist."""
    FFmpegPostProcessor._ffmpeg_location.set(_NO_FFMPEG)  # one code path does not ask the option
    work = job.folder / "page"
    work.mkdir()
    try:
        with BoundedYoutubeDL(options(work, job.limits), job.limits) as ydl:
            _listen(ydl, job)
            if referer:
                ydl.params["http_headers"]["Referer"] = referer
            info = _run(ydl, url, job)
        return _taken(work, info, url, job)
    finally:
        shutil.rmtree(work, ignore_errors=True)


def _listen(ydl: BoundedYoutubeDL, job: Job) -> None:
    def choose(info: dict[str, Any], *, incomplete: bool = False) -> str | None:
        if info.get("is_live") or info.get("live_status") in _LIVE:
            ydl.stop(LiveStream())
        if (info.get("duration") or 0) > job.limits.max_seconds:
            ydl.stop(playlist.too_long(job.limits.max_seconds))
        return None

    def report(status: dict[str, Any]) -> None:
        total = status.get("total_bytes") or status.get("total_bytes_estimate")
        job.progress(int(status.get("downloaded_bytes") or 0), int(total) if total else None)

    ydl.params["match_filter"] = choose
    ydl.add_progress_hook(report)


def _run(ydl: BoundedYoutubeDL, url: str, job: Job) -> dict[str, Any]:
    try:
        info = ydl.extract_info(url, download=True) or {}
        if info.get("_type") == "playlist":
            info = next(iter(info.get("entries") or ()), None) or {}
    except MemoryError:
        raise
    except Exception as error:  # extractors stumble over odd pages in ways of their own
        raise ydl.stopped or from_extractor(error, job.gate.refused) from error
    if ydl.stopped:
        raise ydl.stopped
    return dict(info)


def _taken(work: Path, info: dict[str, Any], url: str, job: Job) -> Fetched:
    """yt-dlp may report success without a file, and what it wrote need not be media."""
    files = [path for path in work.iterdir() if path.is_file() and not path.is_symlink() and path.stat().st_size]
    if not files:
        raise NoMedia
    path = max(files, key=lambda found: found.stat().st_size)
    with path.open("rb") as file:
        mime = sniff(file.read(HEAD_BYTES))
        file.seek(0)
        sha256 = hashlib.file_digest(file, "sha256").hexdigest()
    size = path.stat().st_size
    if mime is None or mime == "image/heic":
        raise NoMedia
    if size > job.limits.max_bytes:
        raise too_large(job.limits.max_bytes)
    shutil.move(path, incoming := job.folder / "incoming")  # the oldest Landlock knows no move between folders
    return Fetched(
        path=keep(incoming, sha256, mime),
        sha256=sha256,
        size=size,
        mime=mime,
        final_url=str(info.get("webpage_url") or url)[:2048],
        etag=None,
        last_modified=None,
        title=str(info["title"])[:MAX_TITLE] if info.get("title") else None,
        extractor=str(info.get("extractor") or "unknown")[:40],
        complete=True,
    )
