from __future__ import annotations

import errno
import socket
from itertools import pairwise

import pytest
import requests
import urllib3
from yt_dlp.utils import DownloadError, ExtractorError, UnsupportedError

from server.errors import AddressRefused, TooLarge
from server.fetch.failures import from_extractor, typed


def wrapped(*chain: BaseException) -> BaseException:
    """Each error raised from the one after it."""
    for outer, inner in pairwise(chain):
        outer.__cause__ = inner
    return chain[0]


NO_NAME = urllib3.exceptions.NameResolutionError("x", None, socket.gaierror(-2, "unknown"))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (OSError(errno.ENOSPC, "full"), "storage_full"),
        (wrapped(ValueError(), requests.ConnectionError(), OSError(errno.EDQUOT, "quota")), "storage_full"),
        (OSError(errno.EFBIG, "limit"), "too_large"),
        (wrapped(ValueError(), TooLarge()), "too_large"),
        (requests.ConnectionError(NO_NAME), "dns_failed"),
        (requests.ReadTimeout(), "fetch_timeout"),
        (TimeoutError(), "fetch_timeout"),
        (requests.ConnectionError(urllib3.exceptions.NewConnectionError(None, "refused")), "http_failed"),  # type: ignore[arg-type]
        (requests.exceptions.SSLError(), "http_failed"),
        (requests.TooManyRedirects(), "http_failed"),
        (ValueError(), "fetch_failed"),
    ],
)
def test_the_cause_is_named(error: BaseException, code: str) -> None:
    assert typed(error).code == code


def test_what_the_guard_refused_explains_a_failed_connection() -> None:
    refused = AddressRefused(details={"reason": "loopback"})
    assert typed(requests.ConnectionError(), refused) is refused
    assert typed(OSError(errno.ENOSPC, "full"), refused).code == "storage_full"


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("Sign in to confirm you're not a bot. Use --cookies", "needs_browser"),
        ("This video is only available for registered users. Use --username", "needs_browser"),
        ("This content is only available to logged-in users", "needs_browser"),
        ("Private video", "needs_browser"),
        ("The uploader has not made this video available in your country", "needs_browser"),
        ("This live event will begin in 3 hours", "live_stream"),
        ("Requested format is not available. Use --list-formats", "needs_browser"),
        ("No video formats found!", "no_media"),
    ],
)
def test_what_an_extractor_says(text: str, code: str) -> None:
    inner = ExtractorError(text, expected=True)
    assert from_extractor(DownloadError(f"ERROR: {text}", (type(inner), inner, None))).code == code


def test_a_page_that_no_extractor_knows() -> None:
    assert from_extractor(UnsupportedError("http://example.com/log-in/cookies")).code == "no_media"
