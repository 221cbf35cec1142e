"""What comes in from outside as bytes: recognised by its first bytes, spooled to disk, named by its hash.

Used by the web process, so the standard library only; whether the pixels are sound is for models.decode to say.
"""

from __future__ import annotations

import errno
import hashlib
import json
import math
import os
import tempfile
import zipfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Protocol, cast
from uuid import uuid4

from server.errors import BadRequest, EmptyFile, StorageFull, TooLarge, UnsupportedMedia

HEAD_BYTES = 4096  # what `sniff` wants to see; it copes with less
CHUNK = 256 * 1024
FRAMES_MIME = "application/vnd.unmask.frames+zip"  # pictures with times, as `spool_frames` writes them
TIMES_NAME = "times.json"
EXTENSIONS = {
    "image/jpeg": ".jpg",
    "image/png": ".png",
    "image/webp": ".webp",
    "image/gif": ".gif",
    "image/avif": ".avif",
    "image/bmp": ".bmp",
    "image/tiff": ".tiff",
    "video/mp4": ".mp4",
    "video/quicktime": ".mov",
    "video/3gpp": ".3gp",
    "video/webm": ".webm",
    "video/x-matroska": ".mkv",
    "video/x-msvideo": ".avi",
    "video/x-flv": ".flv",
    "video/x-ms-asf": ".wmv",
    "video/mp2t": ".ts",
    FRAMES_MIME: ".zip",
}  # the formats that are accepted; HEIC is recognised, to be refused by name: no bundled decoder reads it


class ByteStream(Protocol):
    def read(self, size: int, /) -> bytes: ...


@dataclass(frozen=True)
class Spooled:
    path: Path
    sha256: str
    size: int
    mime: str


@dataclass(frozen=True)
class FrameLimits:
    """For pictures taken off a page; 60 is as many frames as a video is sampled at."""

    max_files: int = 60
    max_bytes: int = 100 * 1024 * 1024


def sniff(head: bytes) -> str | None:
    """The media type by magic bytes, None for anything else. Names and declared types are never believed."""
    for magic, mime in _MAGIC:
        if head.startswith(magic):
            return mime
    for look in (_riff, _iso, _matroska, _bmp, _mpeg_ts):
        if found := look(head):
            return found
    return None


_MAGIC = (
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"GIF87a", "image/gif"),
    (b"GIF89a", "image/gif"),
    (b"II*\x00", "image/tiff"),
    (b"MM\x00*", "image/tiff"),
    (b"FLV\x01", "video/x-flv"),
    (bytes.fromhex("3026b2758e66cf11a6d900aa0062ce6c"), "video/x-ms-asf"),
)
_HEIC_BRANDS = frozenset({b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"hevm", b"hevs", b"mif1", b"msf1"})
_AUDIO_BRANDS = frozenset({b"M4A ", b"M4B ", b"M4P "})
_QUICKTIME_ATOMS = frozenset({b"moov", b"mdat", b"wide", b"pnot"})  # a QuickTime file may begin without `ftyp`
_BMP_HEADERS = frozenset({12, 16, 40, 52, 56, 64, 108, 124})


def _riff(head: bytes) -> str | None:
    if head[:4] != b"RIFF":
        return None
    return {b"WEBP": "image/webp", b"AVI ": "video/x-msvideo"}.get(head[8:12])


def _iso(head: bytes) -> str | None:
    """ISO base media files tell themselves apart by their brands (ISO/IEC 14496-12, 4.3)."""
    box = head[4:8]
    if box in _QUICKTIME_ATOMS:
        return "video/quicktime"
    if box == b"styp":
        return "video/mp4"
    if box != b"ftyp":
        return None
    end = min(int.from_bytes(head[:4], "big"), len(head))
    major = head[8:12]
    brands = {major, *(head[at : at + 4] for at in range(16, end - 3, 4))}
    if brands & {b"avif", b"avis"}:
        return "image/avif"
    if major in _HEIC_BRANDS:
        return "image/heic"
    if major in _AUDIO_BRANDS:
        return None
    if major == b"qt  ":
        return "video/quicktime"
    return "video/3gpp" if major[:3] in (b"3gp", b"3g2") else "video/mp4"


def _matroska(head: bytes) -> str | None:
    if head[:4] != b"\x1a\x45\xdf\xa3":
        return None
    doctype = head[4:64].partition(b"\x42\x82")[2]  # EBML id of DocType, then a length byte, then the word
    return "video/webm" if doctype[1:5] == b"webm" else "video/x-matroska"


def _bmp(head: bytes) -> str | None:
    is_bmp = head[:2] == b"BM" and int.from_bytes(head[14:18], "little") in _BMP_HEADERS
    return "image/bmp" if is_bmp else None


def _mpeg_ts(head: bytes) -> str | None:
    """188-byte packets (192 with a time code in front), each beginning with 0x47."""
    for start, step in ((0, 188), (4, 192)):
        sync = head[start : start + 3 * step : step]
        if len(sync) >= 2 and set(sync) == {0x47}:
            return "video/mp2t"
    return None


class HashedFile:
    """Counts and hashes what is written. Cannot seek, so zipfile writes straight on."""

    def __init__(self, raw: IO[bytes]) -> None:
        self._raw = raw
        self._digest = hashlib.sha256()
        self.size = 0

    def write(self, data: bytes) -> int:
        self._digest.update(data)
        self.size += len(data)
        return self._raw.write(data)

    def flush(self) -> None:
        self._raw.flush()

    @property
    def sha256(self) -> str:
        return self._digest.hexdigest()


@contextmanager
def storage_errors() -> Iterator[None]:
    """A full disk (or quota) is its own error, for whoever writes media."""
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise StorageFull from error
        raise


def too_large(limit: int) -> TooLarge:
    return TooLarge(details={"limit_bytes": limit})


def spool_upload(stream: ByteStream, folder: Path, max_bytes: int) -> Spooled:
    """Store a file; on any error nothing is left behind. The limit is on bytes read, not declared."""

    def write(file: HashedFile) -> str:
        mime = ""
        while chunk := stream.read(CHUNK):
            if not mime:
                while len(chunk) < HEAD_BYTES and (more := stream.read(HEAD_BYTES)):
                    chunk += more
                mime = _accepted(chunk[:HEAD_BYTES])
            if file.size + len(chunk) > max_bytes:
                raise too_large(max_bytes)
            file.write(chunk)
        if not mime:
            raise EmptyFile
        return mime

    return _spool(folder, write)


def spool_frames(
    files: Sequence[ByteStream], times: Sequence[float], folder: Path, limits: FrameLimits | None = None
) -> Spooled:
    """Pictures with their times in seconds, as one stored zip. The same pictures and times give the same bytes."""
    limits = limits or FrameLimits()
    _check_times(len(files), times, limits)

    def write(file: HashedFile) -> str:
        left = limits.max_bytes
        with zipfile.ZipFile(cast(IO[bytes], file), "w", zipfile.ZIP_STORED) as archive:
            archive.writestr(zipfile.ZipInfo(TIMES_NAME), json.dumps([round(float(t), 6) for t in times]))
            for number, stream in enumerate(files):
                data = _read_all(stream, left)
                left -= len(data)
                if not data:
                    raise EmptyFile(details={"file": number})
                mime = sniff(data[:HEAD_BYTES])
                if mime not in ("image/jpeg", "image/png"):
                    raise UnsupportedMedia("Frames are sent as JPEG or PNG.", details={"file": number, "mime": mime})
                archive.writestr(zipfile.ZipInfo(f"{number:04d}{EXTENSIONS[mime]}"), data)
        return FRAMES_MIME

    return _spool(folder, write)


def _accepted(head: bytes) -> str:
    mime = sniff(head)
    if mime == "image/heic":
        raise UnsupportedMedia("HEIC pictures cannot be read. Send it as JPEG or PNG.", details={"mime": mime})
    if mime is None:
        raise UnsupportedMedia
    return mime


def _check_times(files: int, times: Sequence[float], limits: FrameLimits) -> None:
    if not 1 <= files <= limits.max_files:
        raise BadRequest(f"Send 1 to {limits.max_files} frames.", details={"frames": files})
    if len(times) != files:
        raise BadRequest("Send one time for each frame.", details={"frames": files, "times": len(times)})
    if any(not math.isfinite(t) or t < 0 for t in times) or list(times) != sorted(times):
        raise BadRequest("Times are seconds from the start, none negative, in rising order.")


def _read_all(stream: ByteStream, limit: int) -> bytes:
    """The rest of a stream; a stream may hand out less than it was asked for."""
    parts, size = [], 0
    while chunk := stream.read(CHUNK):
        size += len(chunk)
        if size > limit:
            raise too_large(limit)
        parts.append(chunk)
    return b"".join(parts)


def _spool(folder: Path, write: Callable[[HashedFile], str]) -> Spooled:
    with storage_errors():
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=folder, prefix="incoming-", delete=False) as raw:
            try:
                file = HashedFile(raw)
                mime = write(file)
                raw.flush()
                os.fsync(raw.fileno())
                # A name of its own: the same bytes sent twice are two files, each owned by one request or check.
                path = folder / (uuid4().hex + EXTENSIONS[mime])
                Path(raw.name).replace(path)
            except BaseException:
                Path(raw.name).unlink(missing_ok=True)
                raise
    return Spooled(path, file.sha256, file.size, mime)
