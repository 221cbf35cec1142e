"""Marks of programs, wherever files carry them; and no marks where words only look alike."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from models import marks
from models.decode import DecodeLimits, probe
from models.types import Mark

LIMITS = DecodeLimits(10**7, 100)
XMP = (
    '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:Description xmp:CreatorTool="Sora" Iptc4xmpExt:DigitalSourceType='
    '"http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia" dc:title="An Ideogram"/></x:xmpmeta>'
)
IN_XMP = (Mark("XMP", "trainedAlgorithmicMedia"), Mark("XMP", "Sora"))


def found(path: Path) -> tuple[Mark, ...]:
    return marks.read(path, probe(path, LIMITS))


def saved(path: Path, **how: Any) -> Path:
    Image.fromarray(np.zeros((16, 16, 3), np.uint8)).save(path, **how)
    return path


@pytest.mark.parametrize(
    ("key", "text", "program"),
    [
        ("parameters", "a face\nSteps: 20, Sampler: Euler a, CFG scale: 7", "Stable Diffusion web UI"),
        ("prompt", '{"3": {"inputs": {}, "class_type": "KSampler"}}', "ComfyUI"),
        ("Description", "a face --v 6 Job ID: 01234567-89ab-cdef-0123-456789abcdef", "Midjourney"),
        ("Software", "NovelAI", "NovelAI"),
        ("invokeai_metadata", '{"app_version": "InvokeAI 4"}', "InvokeAI"),
        ("Software", "FLUX.1 [dev]", "FLUX"),
    ],
)
def test_png_text(tmp_path: Path, key: str, text: str, program: str) -> None:
    info = PngInfo()
    info.add_itxt(key, text, zip=len(text) % 2 == 0)
    assert found(saved(tmp_path / "a.png", pnginfo=info)) == (Mark("PNG text", program),)


@pytest.mark.parametrize(
    "text", ["Una imagen de Leonardo", "Sora at the sea, by a firefly", "steps: 20 to the sampler", "Adobe Photoshop"]
)
def test_ordinary_words_are_no_marks(tmp_path: Path, text: str) -> None:
    info = PngInfo()
    info.add_text("Description", text)
    assert found(saved(tmp_path / "a.png", pnginfo=info)) == ()


def test_exif(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0131] = "Firefly"
    exif.get_ifd(0x8769)[0x9286] = b"UNICODE\0" + "made with DALL-E".encode("utf-16-be")
    shown = found(saved(tmp_path / "a.jpg", exif=exif))
    assert shown == (Mark("EXIF", "Firefly"), Mark("EXIF", "DALL·E"))


@pytest.mark.parametrize("name", ["a.jpg", "a.webp", "a.avif"])
def test_xmp(tmp_path: Path, name: str) -> None:
    assert found(saved(tmp_path / name, xmp=XMP.encode())) == IN_XMP


def test_xmp_of_png_and_tiff(tmp_path: Path) -> None:
    info = PngInfo()
    info.add_itxt("XML:com.adobe.xmp", XMP)
    assert found(saved(tmp_path / "a.png", pnginfo=info)) == IN_XMP
    assert found(saved(tmp_path / "a.tiff", tiffinfo={700: XMP.encode()})) == IN_XMP


def clip(path: Path, **tags: str) -> Path:
    with av.open(str(path), "w", options={"movflags": "use_metadata_tags"}) as out:
        out.metadata.update(tags)
        stream = out.add_stream("mpeg4", rate=10, width=64, height=64)
        for packet in (*stream.encode(av.VideoFrame(64, 64, "yuv420p")), *stream.encode()):
            out.mux(packet)
    return path


def test_tags_and_xmp_of_a_clip(tmp_path: Path) -> None:
    path = clip(tmp_path / "a.mp4", comment="Made with Google AI")
    with path.open("ab") as file:
        file.write(XMP.encode())
    assert found(path) == (Mark("Video tags", "Google AI"), *IN_XMP)


def test_an_untouched_clip_and_a_gif_comment(tmp_path: Path) -> None:
    assert found(clip(tmp_path / "a.mp4")) == ()
    assert found(saved(tmp_path / "a.gif", comment=b"Midjourney")) == (Mark("GIF text", "Midjourney"),)


def test_marks_are_few(tmp_path: Path) -> None:
    info = PngInfo()
    types = " ".join(f"cv.iptc.org/newscodes/digitalsourcetype/kind{n}" for n in range(50))
    info.add_itxt("XML:com.adobe.xmp", types)
    assert len(found(saved(tmp_path / "a.png", pnginfo=info))) == 8
