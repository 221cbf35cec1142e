"""Marks that programs leave in files: PNG text, EXIF, XMP, a container's tags. Unsigned, so they are hints and no more.

https://cv.iptc.org/newscodes/digitalsourcetype for how a picture says itself how it was made.
"""

from __future__ import annotations

import mmap
import re
import struct
from collections.abc import Iterator
from contextlib import suppress
from itertools import islice
from pathlib import Path
from typing import Final

from PIL import ExifTags, Image

from models import clips, pictures
from models.bounds import MOST_TOLD
from models.credentials import name
from models.errors import MediaError
from models.types import Mark, MediaInfo

_MOST_TEXT, _MOST_TEXTS = 1 << 18, 32  # characters or bytes of one, and how many
_EXIF: Final = (ExifTags.Base.Software, ExifTags.Base.ImageDescription, ExifTags.Base.Artist, ExifTags.Base.Copyright)
_EXIF_INNER: Final = (ExifTags.Base.UserComment,)
_NOT_TEXT, _XMP_KEYS = frozenset({"exif", "icc_profile"}), frozenset({"xmp", "XML:com.adobe.xmp"})
# Pillow's words for broken data. What cannot be read is no mark; whether it is a picture at all, decoding says.
_BROKEN: Final = (
    OSError, SyntaxError, ValueError, TypeError, KeyError, IndexError, RuntimeError, struct.error,
    Image.DecompressionBombError,
)  # fmt: skip
_XMP_START, _XMP_END = b"<x:xmpmeta", b"</x:xmpmeta>"
_SOURCE_TYPE: Final = re.compile(r"cv\.iptc\.org/newscodes/digitalsourcetype/(\w{1,60})")
_TOOL: Final = re.compile(r"(?:CreatorTool|Credit|Software)\s*(?:=\s*[\"']|>)\s*([^\"'<]{1,200})")
# What no other text holds, and names that are words of their own: those count where a program names itself.
_ANYWHERE: Final = {
    "Stable Diffusion web UI": re.compile(r"Steps: \d+, Sampler: "),
    "ComfyUI": re.compile(r'"class_type"\s*:|\bComfyUI\b'),
    "Midjourney": re.compile(r"\bJob ID: [0-9a-f]{8}-[0-9a-f-]{27}\b|\bMidjourney\b"),
    "NovelAI": re.compile(r"\bNovelAI\b"),
    "InvokeAI": re.compile(r"\binvokeai_metadata\b|\bInvokeAI\b|\bsd-metadata\b"),
    "Google AI": re.compile(r"\bMade with Google AI\b"),
    "DALL·E": re.compile(r"\bDALL[-·.]?E\b"),
    "Stable Diffusion": re.compile(r"\bStable ?Diffusion\b", re.IGNORECASE),
    "Adobe Firefly": re.compile(r"\bAdobe Firefly\b"),
    "Bing Image Creator": re.compile(r"\b(?:Bing|Microsoft) Image Creator\b"),
    "GPT image": re.compile(r"\bgpt-(?:image|4o)\b", re.IGNORECASE),
}
_AS_PROGRAM: Final = {
    "FLUX": re.compile(r"\bFLUX\b", re.IGNORECASE),
    "Imagen": re.compile(r"\bImagen\b"),
    "Ideogram": re.compile(r"\bIdeogram\b", re.IGNORECASE),
    "Leonardo.Ai": re.compile(r"\bLeonardo\.?\s?Ai\b", re.IGNORECASE),
    "Sora": re.compile(r"\bSora\b"),
    "Firefly": re.compile(r"\bFirefly\b"),
}
PROGRAMS: Final = frozenset({*_ANYWHERE, *_AS_PROGRAM})
_PROGRAM_KEYS: Final = frozenset({"software", "encoder", "creator", "creatortool", "generator"})


def read(path: Path, info: MediaInfo) -> tuple[Mark, ...]:
    """Programs that make pictures, by name, and declared source types; each once, with where it stood."""
    found = dict.fromkeys(_found(path, info))
    return tuple(found)[:MOST_TOLD]


def _found(path: Path, info: MediaInfo) -> Iterator[Mark]:
    for where, key, text in islice(_texts(path, info), _MOST_TEXTS):
        if where == "XMP":
            yield from (Mark(where, told) for told in map(name, _SOURCE_TYPE.findall(text)) if told)
            text = "\n".join(_TOOL.findall(text))
        tables = (_ANYWHERE, _AS_PROGRAM) if where == "XMP" or key.lower() in _PROGRAM_KEYS else (_ANYWHERE,)
        for table in tables:
            yield from (Mark(where, program) for program, pattern in table.items() if pattern.search(text))


def _texts(path: Path, info: MediaInfo) -> Iterator[tuple[str, str, str]]:
    """(where, key, text) of what a file carries beside its pixels; no pixel is decoded."""
    if info.mime.startswith("image/"):
        with suppress(*_BROKEN):
            yield from _of_picture(path)
        return
    with suppress(MediaError):
        yield from (("Video tags", key, value[:_MOST_TEXT]) for key, value in clips.tags(path, info.mime).items())
    yield from (("XMP", "", packet) for packet in _packets(path))


def _of_picture(path: Path) -> Iterator[tuple[str, str, str]]:
    with Image.open(path, formats=pictures.FORMATS) as picture:
        for key, value in picture.info.items():
            if isinstance(value, str | bytes) and key not in _NOT_TEXT:
                yield "XMP" if key in _XMP_KEYS else f"{picture.format} text", str(key), _text(value)
        exif = picture.getexif()
        if isinstance(packet := exif.get(ExifTags.Base.XMLPacket), str | bytes):
            yield "XMP", "", _text(packet)
        inner = exif.get_ifd(ExifTags.IFD.Exif)
        for tags, values in ((_EXIF, exif), (_EXIF_INNER, inner)):
            for tag in tags:
                if isinstance(value := values.get(tag), str | bytes):
                    yield "EXIF", tag.name, _text(value)


def _packets(path: Path) -> Iterator[str]:
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
        start = content.find(_XMP_START)
        if start >= 0:
            yield content[start : start + _MOST_TEXT].partition(_XMP_END)[0].decode("utf-8", "replace")


def _text(value: str | bytes) -> str:
    if isinstance(value, str):
        return value[:_MOST_TEXT]
    value = value[:_MOST_TEXT]
    if value[:7] == b"UNICODE":  # EXIF: the first eight bytes name the encoding of a comment
        return value[8:].decode("utf-16-be", "replace")
    return value.removeprefix(b"ASCII\0\0\0").decode("utf-8", "replace")
