"""What went wrong, in the service's own terms. Libraries wrap errors in errors; the cause is found and named here."""

from __future__ import annotations

import errno
import re
import socket
from collections.abc import Iterator

import requests
import urllib3

from server.errors import (
    AddressRefused,
    DnsFailed,
    FetchError,
    FetchTimeout,
    HttpFailed,
    LiveStream,
    NeedsBrowser,
    NoMedia,
    StorageFull,
    TooLarge,
    UnmaskError,
)

_TIMEOUTS = (TimeoutError, requests.Timeout, urllib3.exceptions.TimeoutError)
_NOT_REACHED = urllib3.exceptions.NewConnectionError  # which urllib3 derives from its time-outs
_CONNECTIONS = (OSError, requests.RequestException, urllib3.exceptions.HTTPError)
_WALL = re.compile(
    r"sign in|log ?in\b|logged[- ]in|registered users|--username|cookies|not a bot|captcha|cloudflare|impersonat"
    r"|private video|is private|age.?restricted|members.only|(?:in|from) your (?:country|region|location)"
    r"|requested format is not available|only images are available|javascript",
    re.IGNORECASE,
)
_ADDRESS = re.compile(r"https?://\S+")
_LIVE = re.compile(r"live event|livestream|live stream|is offline|will begin|premieres? in", re.IGNORECASE)


def causes(error: BaseException) -> Iterator[BaseException]:
    """The error and everything it was raised from or wraps, nearest first."""
    waiting: list[object] = [error]
    seen: set[int] = set()
    while waiting:
        current = waiting.pop(0)
        if not isinstance(current, BaseException) or id(current) in seen:
            continue
        seen.add(id(current))
        yield current
        info = getattr(current, "exc_info", None)  # yt-dlp keeps the cause in a tuple like sys.exc_info()
        waiting += [getattr(current, name, None) for name in ("cause", "reason", "__cause__", "__context__")]
        waiting += [*current.args, info[1] if isinstance(info, tuple) and len(info) == 3 else None]


def http_status(status: int) -> UnmaskError:
    kind = NeedsBrowser if status in (401, 403) else HttpFailed
    return kind(details={"status": status})


def typed(error: BaseException, refused: AddressRefused | None = None) -> UnmaskError:
    """`refused` is what was turned down on the way, which explains a failed connection better than its text."""
    chain = list(causes(error))
    for cause in chain:
        if isinstance(cause, UnmaskError):
            return cause
        if isinstance(cause, OSError) and cause.errno in (errno.ENOSPC, errno.EDQUOT):
            return StorageFull()
        if isinstance(cause, OSError) and cause.errno == errno.EFBIG:  # the child's limit on file size
            return TooLarge()
    if refused is not None:
        return refused
    for cause in chain:
        status = getattr(cause, "status", None)
        if isinstance(status, int):
            return http_status(status)
    if any(isinstance(cause, socket.gaierror | urllib3.exceptions.NameResolutionError) for cause in chain):
        return DnsFailed()
    if any(isinstance(cause, _TIMEOUTS) and not isinstance(cause, _NOT_REACHED) for cause in chain):
        return FetchTimeout()
    if any(isinstance(cause, requests.TooManyRedirects) for cause in chain):
        return HttpFailed(details={"reason": "redirect_loop"})
    if any(isinstance(cause, _CONNECTIONS) for cause in chain):
        return HttpFailed("The other server could not be reached.", details={"reason": type(chain[-1]).__name__})
    return FetchError(details={"reason": type(error).__name__})


def from_extractor(error: BaseException, refused: AddressRefused | None = None) -> UnmaskError:
    """For yt-dlp: what is neither network nor disk is a page without media, a wall, or a live stream."""
    found = typed(error, refused)
    if type(found) is not FetchError:
        return found
    text = _ADDRESS.sub("", str(error))  # an address may contain any of these words
    if _LIVE.search(text):
        return LiveStream()
    if _WALL.search(text):
        return NeedsBrowser()
    return NoMedia()
