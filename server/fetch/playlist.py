"""Playlists (HLS, DASH manifests) as they are followed: live ones refused by name, long ones thinned.

A verdict rests on some 60 frames. Of an hour in 6-second segments four minutes, evenly spread, serve as well as all,
and fit into what one fetch may take.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from server.errors import LiveStream, TooLong

KEPT_SECONDS: Final = 240.0  # of a recording; one that is less than twice as long is followed whole
LEAST_SEGMENTS: Final = 24
_MARK = b"\xef\xbb\xbf \t\r\n"
_EXTINF = re.compile(rb"#EXTINF:\s*([0-9.]{1,12})")
_DYNAMIC = re.compile(rb"<MPD[^>]{0,2000}\btype\s*=\s*[\"']dynamic")
# What stands in a segment's tags and counts for later ones: with these, leaving some out would change the others.
_BINDING = (b"#EXT-X-KEY", b"#EXT-X-MAP", b"#EXT-X-BYTERANGE", b"#EXT-X-DISCONTINUITY", b"#EXT-X-GAP", b"#EXT-X-SKIP")


@dataclass(frozen=True)
class Segment:
    lines: list[bytes]  # its tags, then its address
    seconds: float


def followed(text: bytes, max_seconds: float) -> bytes:
    """Any page comes through here; what is no playlist is left as it is."""
    if text[:256].lstrip(_MARK).startswith(b"#EXTM3U") and b"#EXTINF" in text:
        return _recording(text, max_seconds)
    if b"<MPD" in text[:2048] and _DYNAMIC.search(text):
        raise LiveStream
    return text


def too_long(max_seconds: float) -> TooLong:
    return TooLong(details={"limit_seconds": max_seconds})


def _recording(text: bytes, max_seconds: float) -> bytes:
    """Without an end tag a media playlist is live (RFC 8216, 4.3.3.4); yt-dlp would take what is there."""
    if b"#EXT-X-ENDLIST" not in text:
        raise LiveStream
    seconds = sum(_seconds(found) for found in _EXTINF.findall(text))
    if seconds > max_seconds:
        raise too_long(max_seconds)
    if seconds < 2 * KEPT_SECONDS or any(tag in text for tag in _BINDING):
        return text
    head, segments = _read(text)
    count = max(LEAST_SEGMENTS, round(len(segments) * KEPT_SECONDS / seconds))
    if count >= len(segments):
        return text
    kept = [segments[int((number + 0.5) * len(segments) / count)] for number in range(count)]
    return b"\n".join([*head, *(line for each in kept for line in each.lines), b"#EXT-X-ENDLIST", b""])


def _read(text: bytes) -> tuple[list[bytes], list[Segment]]:
    head: list[bytes] = []
    segments: list[Segment] = []
    tags: list[bytes] = []
    for line in filter(None, (line.strip() for line in text.splitlines())):
        if line.startswith(b"#EXT-X-ENDLIST"):
            break
        if not line.startswith(b"#"):
            segments.append(Segment([*tags, line], sum(_seconds(found) for found in _EXTINF.findall(b"\n".join(tags)))))
            tags = []
        elif not segments and not tags and not line.startswith(b"#EXTINF"):
            head.append(line)
        else:
            tags.append(line)
    return head, segments


def _seconds(text: bytes) -> float:
    try:
        return float(text)
    except ValueError:
        return 0.0
