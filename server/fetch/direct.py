"""One bounded GET, for addresses that are the picture or video itself. Costs no import of yt-dlp (0.3-0.4 s)."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Any
from urllib.parse import urljoin

import requests
import urllib3
from requests.adapters import HTTPAdapter

from server.errors import EmptyFile, FetchTimeout, NoMedia, NotAUrl, UnsupportedMedia
from server.fetch.failures import http_status, typed
from server.fetch.sources import Fetched, Job, NotModified, keep
from server.identity import exact_url
from server.intake import HEAD_BYTES, HashedFile, sniff, too_large

USER_AGENT = "Mozilla/5.0 (compatible; Unmask)"
MAX_REDIRECTS = 10
CONNECT_SECONDS, SILENCE_SECONDS = 8.0, 10.0
CHUNK = 64 * 1024
_REDIRECTS = frozenset({301, 302, 303, 307, 308})


class Page(Exception):
    """Not media but text: a web page or a playlist, for an extractor to read."""


def get(
    url: str, job: Job, *, referer: str | None = None, etag: str | None = None, last_modified: str | None = None
) -> Fetched | NotModified:
    """The file at this address; raises Page when there is a page instead."""
    deadline = time.monotonic() + job.limits.seconds
    headers = {"Referer": referer, "If-None-Match": etag, "If-Modified-Since": last_modified}
    with _asked(url, headers, job, deadline) as response:
        if response.status_code == 304:
            found = response.headers
            return NotModified(found.get("ETag", etag), found.get("Last-Modified", last_modified))
        return _save(response, job, deadline)


def page(url: str, job: Job, *, referer: str | None = None) -> tuple[str, str]:
    """What a page says, and where it was in the end."""
    deadline = time.monotonic() + job.limits.seconds
    text = bytearray()
    with _asked(url, {"Referer": referer}, job, deadline) as response:
        for chunk in _Body(response, deadline):
            text += chunk
            if len(text) > job.limits.page_bytes:
                break  # what it says of itself stands at its start
        return text.decode("utf-8", "replace"), response.url


@contextmanager
def _asked(url: str, headers: dict[str, str | None], job: Job, deadline: float) -> Iterator[requests.Response]:
    """The answer, once it is one; what goes wrong while it is read is typed as well."""
    given = {"User-Agent": USER_AGENT, "Accept": "image/*,video/*,*/*;q=0.8", "Accept-Encoding": "identity"}
    given |= {name: value for name, value in headers.items() if value}
    try:
        with _session() as session, closing(_follow(session, url, given, deadline)) as response:
            if response.status_code != 304 and not 200 <= response.status_code < 300:
                raise http_status(response.status_code)
            yield response
    except (requests.RequestException, urllib3.exceptions.HTTPError, OSError) as error:
        raise typed(error, job.gate.refused) from error


class _Session(requests.Session):
    def resolve_redirects(self, *_: Any, **__: Any) -> Iterator[requests.Response]:
        """Not even looked at: `_follow` does, and takes nonsense for what it is."""
        return iter(())


def _session() -> requests.Session:
    session = _Session()
    session.trust_env = False  # no proxies, no .netrc
    for scheme in ("http://", "https://"):
        session.mount(scheme, HTTPAdapter(max_retries=0))
    return session


def _follow(session: requests.Session, url: str, headers: dict[str, str], deadline: float) -> requests.Response:
    """Redirects by hand: each target is read by the same parser, and refused when it is not http or https."""
    current = exact_url(url)
    for _ in range(MAX_REDIRECTS + 1):
        left = deadline - time.monotonic()
        if left <= 0:
            raise FetchTimeout
        timeout = (min(CONNECT_SECONDS, left), min(SILENCE_SECONDS, left))
        response = session.get(current, headers=headers, stream=True, allow_redirects=False, timeout=timeout)
        target = session.get_redirect_target(response) if response.status_code in _REDIRECTS else None
        if target is None:
            return response
        response.close()
        try:
            current = exact_url(urljoin(current, target))
        except ValueError:  # brackets that hold no address
            raise NotAUrl from None
    raise requests.TooManyRedirects


def _save(response: requests.Response, job: Job, deadline: float) -> Fetched:
    limit = job.limits.max_bytes
    body = _Body(response, deadline)
    chunks = iter(body)
    head = b""
    for chunk in chunks:
        head += chunk
        if len(head) >= HEAD_BYTES:
            break
    mime = _media_type(head)
    declared = _declared_size(response)
    if declared is not None and declared > limit:
        raise too_large(limit)
    temporary = job.folder / "incoming"
    with temporary.open("wb") as raw:
        file = HashedFile(raw)
        file.write(head)
        for chunk in chunks:
            if file.size + len(chunk) > limit:
                raise too_large(limit)
            file.write(chunk)
            job.progress(file.size, declared)
    return Fetched(
        path=keep(temporary, file.sha256, mime),
        sha256=file.sha256,
        size=file.size,
        mime=mime,
        final_url=response.url,
        etag=response.headers.get("ETag"),
        last_modified=response.headers.get("Last-Modified"),
        title=None,
        extractor="direct",
        complete=not body.cut_short and (declared is None or file.size >= declared),
    )


def _media_type(head: bytes) -> str:
    if not head:
        raise EmptyFile
    mime = sniff(head)
    if mime == "image/heic":
        raise UnsupportedMedia("HEIC pictures cannot be read.", details={"mime": mime})
    if mime is None and b"\0" in head:  # neither media nor text: no extractor will make sense of it
        raise NoMedia
    if mime is None:
        raise Page
    return mime


def _declared_size(response: requests.Response) -> int | None:
    length = response.headers.get("Content-Length", "")
    if response.headers.get("Content-Encoding") or not length.isascii() or not length.isdigit():
        return None
    return int(length)


class _Body:
    """What has come, as it comes: `read` would wait for a full chunk, which a slow server can draw out for hours."""

    def __init__(self, response: requests.Response, deadline: float) -> None:
        self._raw: Any = response.raw
        self._deadline = deadline
        self.cut_short = False  # the server hung up before the end; what came may still do

    def __iter__(self) -> Iterator[bytes]:
        while chunk := self._next():
            yield chunk

    def _next(self) -> bytes:
        if time.monotonic() > self._deadline:
            raise FetchTimeout
        try:
            chunk: bytes = self._raw.read1(CHUNK, decode_content=True)
        except urllib3.exceptions.ProtocolError:
            self.cut_short = True
            return b""
        return chunk
