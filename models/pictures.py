"""Pictures and animations, by Pillow: every mode to RGB uint8, upright, bounded before a pixel is decoded."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from models.bounds import DecodeLimits
from models.errors import CorruptMedia, TooManyPixels, UnsupportedMedia
from models.types import Frame, MediaInfo, Rgb

FORMATS = ("JPEG", "PNG", "WEBP", "GIF", "AVIF", "BMP", "TIFF")  # not MPO, whose reader raises KeyError
MOST_FRAMES = 64  # of an animation
MOST_READ = 2000  # frames of an animation are built on each other: those behind this one are not looked at
DEFAULT_SECONDS = 0.1  # browsers show a frame without a duration this long

_MAGIC = (b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"GIF87a", b"GIF89a", b"BM", b"II*\x00", b"MM\x00*")
_AVIF_BRANDS = (b"avif", b"avis")


def recognises(head: bytes) -> bool:
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return True
    if head[4:8] == b"ftyp":
        return head[8:12] in _AVIF_BRANDS
    return head.startswith(_MAGIC)


def probe(path: Path, limits: DecodeLimits) -> MediaInfo:
    with _opened(path, limits) as picture:
        width, height = picture.size
        if picture.getexif().get(0x0112, 1) >= 5:  # orientations 5 to 8 lie on their side
            width, height = height, width
        mime = Image.MIME.get(picture.format or "", "image/unknown")
        frames = int(getattr(picture, "n_frames", 1))
        if frames == 1 or not getattr(picture, "is_animated", False) or picture.format == "TIFF":
            return MediaInfo("image", mime, width, height, 0.0, 1)
        picture.load()  # a WebP tells how long a frame lasts only then
        return MediaInfo("video", mime, width, height, _seconds(picture) * frames, frames)


def decode(path: Path, limits: DecodeLimits, count: int) -> Iterator[Frame]:
    info = probe(path, limits)
    max_side = limits.max_still_side if info.frames == 1 else limits.max_side
    wanted = _spread(min(info.frames, MOST_READ), min(count, MOST_FRAMES))
    with _opened(path, limits) as picture:
        if info.frames == 1:
            picture.draft("RGB", (max_side, max_side))
        t = 0.0
        for index in range(wanted[-1] + 1):
            if info.frames > 1:
                picture.seek(index)
                picture.load()
            if index in wanted:
                yield Frame(_upright_rgb(picture, max_side), t, index)
            t += _seconds(picture)


def _spread(frames: int, count: int) -> list[int]:
    if frames <= count:
        return list(range(frames))
    return [int((i + 0.5) * frames / count) for i in range(count)]


def _seconds(picture: Image.Image) -> float:
    milliseconds = picture.info.get("duration") or 0
    return float(milliseconds) / 1000 or DEFAULT_SECONDS


@contextmanager
def _opened(path: Path, limits: DecodeLimits) -> Iterator[Image.Image]:
    try:
        with Image.open(path, formats=FORMATS) as picture:
            limits.check_pixels(picture.width, picture.height)
            yield picture
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        limits.check_pixels(*_size(path))
        raise TooManyPixels("The picture has too many pixels. Send a smaller version.") from error
    except UnidentifiedImageError as error:
        raise UnsupportedMedia("The picture's format cannot be read. Send JPEG, PNG, WebP, GIF or AVIF.") from error
    except (OSError, SyntaxError, ValueError, EOFError, IndexError, RuntimeError) as error:  # Pillow's words
        raise CorruptMedia("The picture is damaged or cut short. Send the whole file.") from error


def _size(path: Path) -> tuple[int, int]:
    """Width and height of what Pillow refuses to open, from its header; Pillow's refusal tells only their product."""
    with path.open("rb") as file:
        head = file.read(16)
        for factory, accept in (Image.OPEN[name] for name in FORMATS):
            if accept is None or accept(head) is True:
                file.seek(0)
                return factory(file, "").size
    return 0, 0


def _upright_rgb(picture: Image.Image, max_side: int) -> Rgb:
    upright = ImageOps.exif_transpose(picture)
    if max(upright.size) > max_side:
        upright = _eight_bit(upright)
        upright.thumbnail((max_side, max_side), Image.Resampling.BOX, reducing_gap=2.0)
    upright = _eight_bit(upright)
    if upright.has_transparency_data:
        paper = Image.new("RGBA", upright.size, "white")
        upright = Image.alpha_composite(paper, upright.convert("RGBA"))
    return np.asarray(upright.convert("RGB"), np.uint8)


def _eight_bit(picture: Image.Image) -> Image.Image:
    """Pillow clips deeper greys at 255 instead of scaling them, and cannot shrink some of their modes."""
    if not picture.mode.startswith(("I", "F")):
        return picture.convert("RGBA") if picture.mode in ("P", "LA", "PA") else picture
    values = np.asarray(picture, np.float64)
    if picture.mode == "F" or values.max(initial=0) > 65535 or values.min(initial=0) < 0:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # not-a-number pixels
            low, span = np.nanmin(values), np.nanmax(values) - np.nanmin(values)
            return Image.fromarray(np.nan_to_num((values - low) / (span or 1) * 255).astype(np.uint8))
    return Image.fromarray((values / 257).astype(np.uint8))
