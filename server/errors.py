"""Every error a caller can meet: a stable code, an HTTP status, a sentence a person can act on.

    UnmaskError
    ├── BadRequest            invalid_request 400, and below it
    │   ├── NotAUrl           not_a_url
    │   ├── UnsupportedScheme unsupported_scheme
    │   ├── DetectorNotInstalled detector_not_installed 409
    │   ├── KeyReused         idempotency_key_reused 409
    │   └── MediaGone         media_gone 409
    ├── Denied                unauthorized 401, token_expired 401, forbidden 403, wrong_code 403, csrf 403, bad_host 400
    ├── NotFound              not_found 404
    ├── Busy                  rate_limited 429, queue_full 429, too_many_streams 503, database_busy 503
    ├── StorageFull           storage_full 507
    ├── FetchError            what went wrong on the way to the bytes
    │   ├── AddressRefused    address_refused (details.reason: loopback, private, ...)
    │   ├── DnsFailed, HttpFailed, NoMedia, LiveStream, TooLarge, FetchTimeout, NeedsBrowser
    │   └── TooLong           too_long
    ├── MediaRefused          the file: empty_file, unsupported_media, corrupt_media, too_many_pixels, decode_timeout
    ├── ChildDied             child_died: the process that fetched or decoded ended unexpectedly (details.exit, .step)
    │   └── ChildTimeout      child_timeout: it was ended at its deadline
    ├── ProcessingFailed      processing_failed: the file was read, its analysis failed
    └── WorkerLost            worker_lost: the check killed its worker too often
A check that fails keeps `code`, `message` and `details` in its row; the same three make the JSON of a refused request.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


class UnmaskError(Exception):
    code = "internal"
    status = 500
    message = "Something went wrong on the server. Nothing you sent was lost; try again."

    def __init__(
        self, message: str | None = None, *, details: Mapping[str, Any] | None = None, retry_after: int | None = None
    ) -> None:
        self.message = message or type(self).message
        self.details = dict(details or {})
        self.retry_after = retry_after
        super().__init__(self.message)

    def to_json(self) -> dict[str, Any]:
        return {"code": self.code, "message": self.message, "details": self.details}


class BadRequest(UnmaskError):
    code, status, message = "invalid_request", 400, "The request is not valid."


class NotAUrl(BadRequest):
    code, message = "not_a_url", "This is not a web address. Give one that starts with http:// or https://."


class UnsupportedScheme(BadRequest):
    code, message = "unsupported_scheme", "Only http:// and https:// addresses can be checked."


class DetectorNotInstalled(BadRequest):
    code, status = "detector_not_installed", 409
    message = "One of these detectors is not installed here. Leave `detectors` out to have all that are."


class KeyReused(BadRequest):
    code, status = "idempotency_key_reused", 409
    message = "This Idempotency-Key was used for another request. Use a new key for each."


class MediaGone(BadRequest):
    code, status = "media_gone", 409
    message = "The file itself is no longer kept. Upload it again to have it checked anew."


class Denied(UnmaskError):
    code, status, message = "forbidden", 403, "You may not do this. Ask an administrator for a role or token that may."


class Unauthorized(Denied):
    code, status = "unauthorized", 401
    message = "Sign in, or send a valid token as `Authorization: Bearer ...`."


class TokenExpired(Unauthorized):
    code, message = "token_expired", "This token has expired. Create a new one with `unmask token create`."


class CsrfFailed(Denied):
    code, message = "csrf", "The form is out of date. Reload the page and send it again."


class BadHost(Denied):
    code, status = "bad_host", 400
    message = "This server does not answer to that host name. Add it to UNMASK_HOSTS to allow it."


class WrongCode(Denied):
    code = "wrong_code"
    message = "This code is wrong, used or too old. Get a new one on your account page."


class NotFound(UnmaskError):
    code, status, message = "not_found", 404, "There is nothing at this address."


class Busy(UnmaskError):
    code, status, message = "busy", 503, "The server is busy. Try again in a moment."


class RateLimited(Busy):
    code, status, message = "rate_limited", 429, "Too many requests. Wait a moment and try again."


class QueueFull(Busy):
    code, status, message = "queue_full", 429, "Too many checks are waiting. Nothing was queued; try again later."


class TooManyStreams(Busy):
    code, message = "too_many_streams", "Too many live views are open. Ask for the state of the check instead."


class DatabaseBusy(Busy):
    code, message = "database_busy", "The database is locked by another process. Nothing was stored; try again."


class StorageFull(UnmaskError):
    code, status = "storage_full", 507
    message = "The server's disk is full. Nothing was stored; tell its operator, then try again."


class FetchError(UnmaskError):
    code, status, message = "fetch_failed", 422, "The address could not be fetched."


class AddressRefused(FetchError):
    code, message = "address_refused", "This address lies in a network that may not be fetched from."


class DnsFailed(FetchError):
    code, message = "dns_failed", "No server of that name could be found. Check the spelling."


class HttpFailed(FetchError):
    code, message = "http_failed", "The other server refused to hand out the page or file."


class NoMedia(FetchError):
    code, message = "no_media", "No image or video was found at this address."


class LiveStream(FetchError):
    code, message = "live_stream", "Live streams cannot be checked. Try a recording."


class TooLarge(FetchError):
    code, status, message = "too_large", 413, "The file is larger than this server accepts."


class TooLong(FetchError):
    code, message = "too_long", "The video is longer than this server accepts."


class FetchTimeout(FetchError):
    code, message = "fetch_timeout", "The other server took too long. Try again later."


class NeedsBrowser(FetchError):
    code, message = "needs_browser", "This site only serves browsers. Upload the file, or use the browser extension."


class MediaRefused(UnmaskError):
    code, status, message = "media_error", 415, "The file cannot be read as an image or a video."


class EmptyFile(MediaRefused):
    code, message = "empty_file", "The file is empty."


class UnsupportedMedia(MediaRefused):
    code, message = "unsupported_media", "This is not an image or video format that can be checked."


class CorruptMedia(MediaRefused):
    code, message = "corrupt_media", "The file is damaged or cut short. Try another copy."


class TooManyPixels(MediaRefused):
    code, status, message = "too_many_pixels", 413, "The picture has more pixels than this server accepts."


class DecodeTimeout(MediaRefused):
    code, status, message = "decode_timeout", 422, "Reading the file took too long. Try a shorter or smaller copy."


class ChildDied(UnmaskError):
    code, message = "child_died", "Handling this file ended unexpectedly. Try again; if it persists, try another copy."


class ChildTimeout(ChildDied):
    code, message = "child_timeout", "Handling this file took too long and was ended."


class WorkerLost(UnmaskError):
    code, message = "worker_lost", "The check ended its worker too often and was given up."


class ProcessingFailed(UnmaskError):
    code, message = "processing_failed", "The file was read, but its analysis failed. The operator's log says why."


def _tree(root: type[UnmaskError]) -> list[type[UnmaskError]]:
    return [root, *(cls for sub in root.__subclasses__() for cls in _tree(sub))]


BY_CODE: dict[str, type[UnmaskError]] = {cls.code: cls for cls in _tree(UnmaskError)}


def from_code(code: str, message: str | None = None, details: Mapping[str, Any] | None = None) -> UnmaskError:
    """The typed error for a code that came over a process boundary; an unknown code is an internal error."""
    return BY_CODE.get(code, UnmaskError)(message, details=details)
