from __future__ import annotations

import io
from pathlib import Path

import numpy as np
from PIL import Image

from models import provenance
from models.decode import DecodeLimits, probe
from models.types import Mark
from tests.signing import make_signer

LIMITS = DecodeLimits(10**7, 100)


def test_signed_and_unsigned_words_stand_side_by_side(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0131] = "Midjourney v7"
    out, signer = io.BytesIO(), make_signer()
    Image.fromarray(np.zeros((64, 64, 3), np.uint8)).save(out, "JPEG", exif=exif)
    plain, signed = tmp_path / "plain", tmp_path / "signed"
    plain.write_bytes(out.getvalue())
    signed.write_bytes(signer.sign(out.getvalue(), "image/jpeg", "trainedAlgorithmicMedia"))
    found = [provenance.read(path, probe(path, LIMITS), signer.root) for path in (plain, signed)]
    assert [told.marks for told in found] == [(Mark("EXIF", "Midjourney"),)] * 2
    assert [(told.c2pa, told.generator) for told in found] == [("absent", "Midjourney"), ("trusted", "Painter")]


def test_marks_that_cannot_be_read_are_none(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    Image.fromarray(np.zeros((64, 64, 3), np.uint8)).save(path)
    info = probe(path, LIMITS)
    for content in (path.read_bytes()[:20], b"x", _huge_gif()):
        path.write_bytes(content)
        assert provenance.read(path, info).marks == ()


def _huge_gif() -> bytes:
    """Its frame would have four thousand million pixels; reading what it says of itself must not depend on that."""
    out = io.BytesIO()
    Image.fromarray(np.zeros((8, 8), np.uint8)).save(out, "GIF")
    return out.getvalue().replace(b"\x08\0\x08\0", b"\xff\xff\xff\xff")
