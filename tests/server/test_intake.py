from __future__ import annotations

import hashlib
import io
import json
import struct
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import IO

import pytest

from server import intake
from server.errors import BadRequest, EmptyFile, StorageFull, TooLarge, UnsupportedMedia
from server.intake import FRAMES_MIME, FrameLimits, sniff, spool_frames, spool_upload

PNG = b"\x89PNG\r\n\x1a\n" + bytes(100)
JPEG = b"\xff\xd8\xff\xe0" + bytes(100)
EBML = b"\x1a\x45\xdf\xa3\x9f\x42\x86\x81\x01\x42\x82\x84"


def ftyp(major: bytes, *compatible: bytes) -> bytes:
    brands = b"".join(compatible)
    return struct.pack(">I", 16 + len(brands)) + b"ftyp" + major + bytes(4) + brands + b"\0\0\0\x08mdatavif"


@pytest.mark.parametrize(
    ("head", "mime"),
    [
        (JPEG, "image/jpeg"),
        (PNG, "image/png"),
        (b"RIFF\x10\0\0\0WEBPVP8 ", "image/webp"),
        (b"RIFF\x10\0\0\0WAVEfmt ", None),
        (b"GIF89a", "image/gif"),
        (b"GIF87a", "image/gif"),
        (b"GIF88a", None),
        (b"BM" + bytes(12) + b"\x28\0\0\0", "image/bmp"),
        (b"BMW is a car, not a picture", None),
        (b"II*\x00", "image/tiff"),
        (b"MM\x00*", "image/tiff"),
        (ftyp(b"avif", b"mif1"), "image/avif"),
        (ftyp(b"mif1", b"miaf", b"avif"), "image/avif"),
        (ftyp(b"heic", b"mif1"), "image/heic"),
        (ftyp(b"mif1", b"heic"), "image/heic"),
        (ftyp(b"isom", b"mp41"), "video/mp4"),
        (ftyp(b"M4V "), "video/mp4"),
        (ftyp(b"M4A ", b"mp42"), None),
        (ftyp(b"qt  "), "video/quicktime"),
        (b"\0\0\0\x08wide\0\0\0\0mdat", "video/quicktime"),
        (b"\0\0\0\x18stypmsdh", "video/mp4"),
        (ftyp(b"3gp5"), "video/3gpp"),
        (EBML + b"webm", "video/webm"),
        (EBML + b"matroska", "video/x-matroska"),
        (b"RIFF\x10\0\0\0AVI LIST", "video/x-msvideo"),
        (b"FLV\x01\x05", "video/x-flv"),
        (bytes.fromhex("3026b2758e66cf11a6d900aa0062ce6c"), "video/x-ms-asf"),
        ((b"\x47" + bytes(187)) * 3, "video/mp2t"),
        ((bytes(4) + b"\x47" + bytes(187)) * 3, "video/mp2t"),
        (b"\x47" + bytes(500), None),
        (b"GET / HTTP/1.1", None),
        (b"<!doctype html>", None),
        (b"#EXTM3U\n", None),
        (b"PK\x03\x04", None),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", None),
        (b"", None),
        (b"\xff", None),
    ],
)
def test_what_a_file_is(head: bytes, mime: str | None) -> None:
    assert sniff(head) == mime


class Slow(io.RawIOBase):
    """Hands out a byte or so at a time, as a socket may."""

    def __init__(self, data: bytes) -> None:
        self._data = io.BytesIO(data)

    def read(self, size: int = -1) -> bytes:
        return self._data.read(min(size, 7))


def test_an_upload_is_named_by_its_hash(tmp_path: Path) -> None:
    data = PNG + bytes(range(256)) * 3000
    for stream in (io.BytesIO(data), Slow(data[:9000])):
        stored = spool_upload(stream, tmp_path / "spool", 1_000_000)
        content = stored.path.read_bytes()
        assert data.startswith(content)
        assert stored.sha256 == hashlib.sha256(content).hexdigest()
        assert (stored.path.parent, stored.path.suffix) == (tmp_path / "spool", ".png")
        assert (stored.size, stored.mime) == (len(content), "image/png")


class Broken(io.RawIOBase):
    def read(self, size: int = -1) -> bytes:
        raise ConnectionResetError


@pytest.mark.parametrize(
    ("stream", "error"),
    [
        (io.BytesIO(b""), EmptyFile),
        (io.BytesIO(b"text"), UnsupportedMedia),
        (io.BytesIO(ftyp(b"heic")), UnsupportedMedia),
        (io.BytesIO(PNG + bytes(2_000_000)), TooLarge),
        (Broken(), ConnectionResetError),
    ],
)
def test_nothing_is_left_of_what_is_refused(stream: IO[bytes], error: type[Exception], tmp_path: Path) -> None:
    with pytest.raises(error):
        spool_upload(stream, tmp_path, 1_000_000)
    assert list(tmp_path.iterdir()) == []


def test_the_limit_is_inclusive(tmp_path: Path) -> None:
    spool_upload(io.BytesIO(PNG), tmp_path, len(PNG))
    with pytest.raises(TooLarge) as caught:
        spool_upload(io.BytesIO(PNG), tmp_path, len(PNG) - 1)
    assert caught.value.details == {"limit_bytes": len(PNG) - 1}


def test_a_full_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """/dev/full refuses every byte as a full disk does."""

    def write(self: intake.HashedFile, data: bytes) -> int:
        with Path("/dev/full").open("wb", buffering=0) as full:
            return full.write(data)

    monkeypatch.setattr(intake.HashedFile, "write", write)
    with pytest.raises(StorageFull):
        spool_upload(io.BytesIO(PNG), tmp_path, 1_000_000)
    assert list(tmp_path.iterdir()) == []


def test_frames_are_one_file_with_their_times(tmp_path: Path) -> None:
    stored = spool_frames([io.BytesIO(PNG), io.BytesIO(JPEG)], [0.5, 2], tmp_path)
    with zipfile.ZipFile(stored.path) as archive:
        assert archive.namelist() == ["times.json", "0000.png", "0001.jpg"]
        assert json.loads(archive.read("times.json")) == [0.5, 2.0]
        assert archive.read("0001.jpg") == JPEG
    assert stored.sha256 == hashlib.sha256(stored.path.read_bytes()).hexdigest()
    assert (stored.mime, stored.size) == (FRAMES_MIME, stored.path.stat().st_size)


def test_the_same_frames_are_the_same_file(tmp_path: Path) -> None:
    def spool(*times: float) -> str:
        return spool_frames([io.BytesIO(PNG) for _ in times], times, tmp_path).sha256

    assert spool(0, 1) == spool(0.0, 1.0)
    assert spool(0, 1) != spool(0, 2)


@pytest.mark.parametrize(
    ("pictures", "times", "error"),
    [
        ([], [], BadRequest),
        ([PNG] * 4, [0, 1, 2, 3], BadRequest),
        ([PNG], [0, 1], BadRequest),
        ([PNG, PNG], [1, 0], BadRequest),
        ([PNG], [-1], BadRequest),
        ([PNG], [float("nan")], BadRequest),
        ([PNG, b""], [0, 1], EmptyFile),
        ([b"GIF89a"], [0], UnsupportedMedia),
        ([PNG, PNG + bytes(1000)], [0, 1], TooLarge),
    ],
)
def test_frames_that_are_refused(
    pictures: list[bytes], times: list[float], error: type[Exception], tmp_path: Path
) -> None:
    with pytest.raises(error):
        spool_frames([io.BytesIO(p) for p in pictures], times, tmp_path, FrameLimits(max_files=3, max_bytes=1000))
    assert list(tmp_path.iterdir()) == []


def test_the_web_process_gets_no_heavy_import_by_it() -> None:
    script = "import sys, server.intake, server.identity; print(*sys.modules)"
    ran = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert not {"numpy", "PIL", "cv2", "requests", "yt_dlp", "models"} & set(ran.stdout.split())
