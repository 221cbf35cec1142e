"""Content Credentials: signed here, read offline, tampered with, signed by nobody known, kept elsewhere."""

from __future__ import annotations

import io
import socket
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from models import credentials
from models.bounds import LONGEST_NAME
from models.types import Provenance
from tests.clips import make_clip
from tests.signing import Signer, make_signer

AI = "trainedAlgorithmicMedia"
MIMES = {"JPEG": "image/jpeg", "PNG": "image/png", "WEBP": "image/webp", "GIF": "image/gif", "TIFF": "image/tiff"}


@pytest.fixture(scope="module")
def signer() -> Signer:
    return make_signer()


def picture(kind: str = "JPEG") -> bytes:
    noise = np.random.default_rng(1).integers(0, 256, (64, 96, 3), np.uint8)
    out = io.BytesIO()
    Image.fromarray(noise).save(out, kind)
    return out.getvalue()


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "file"


@pytest.mark.parametrize("kind", MIMES)
def test_signed_by_somebody_trusted(file: Path, signer: Signer, kind: str) -> None:
    file.write_bytes(signer.sign(picture(kind), MIMES[kind], AI))
    assert credentials.read(file, signer.root) == Provenance("trusted", "Honest Paper", (AI,), "Painter")


def test_a_signed_clip(file: Path, tmp_path: Path, signer: Signer) -> None:
    clip = make_clip(tmp_path / "clip.mp4", seconds=1, width=320, height=180)
    file.write_bytes(signer.sign(clip.read_bytes(), "video/mp4", AI))
    assert credentials.read(file, signer.root).c2pa == "trusted"


def test_signed_by_somebody_unknown(file: Path, signer: Signer) -> None:
    file.write_bytes(signer.sign(picture(), "image/jpeg", AI))
    for anchors in (None, make_signer("Somebody Else").root):
        assert credentials.read(file, anchors) == Provenance(
            "valid_unknown_signer", "Honest Paper", (AI,), "Painter"
        )  # fmt: skip


def test_all_source_types_are_told_not_only_the_first(file: Path, signer: Signer) -> None:
    file.write_bytes(signer.sign(picture(), "image/jpeg", "digitalCapture", "compositeWithTrainedAlgorithmicMedia"))
    told = ("digitalCapture", "compositeWithTrainedAlgorithmicMedia")
    assert credentials.read(file, signer.root).source_types == told


def test_what_an_ingredient_says_is_not_what_its_user_says(file: Path, signer: Signer) -> None:
    """Anybody's AI declaration could otherwise be carried under a trusted name."""
    stranger = make_signer("Stranger").sign(picture(), "image/jpeg", AI)
    file.write_bytes(signer.sign(picture(), "image/jpeg", "digitalCapture", ingredient=stranger))
    told = credentials.read(file, signer.root)
    assert (told.signer, told.source_types) == ("Honest Paper", ("digitalCapture",))
    assert b"Stranger" in file.read_bytes()


def test_changed_after_it_was_signed(file: Path, signer: Signer) -> None:
    content = bytearray(signer.sign(picture(), "image/jpeg", AI))
    content[-100] ^= 1
    file.write_bytes(content)
    assert credentials.read(file, signer.root).c2pa == "invalid"


@pytest.mark.parametrize("share", [0.1, 0.3, 0.5, 0.8])
def test_cut_short(file: Path, signer: Signer, share: float) -> None:
    content = signer.sign(picture(), "image/jpeg", AI)
    file.write_bytes(content[: round(share * len(content))])
    assert credentials.read(file, signer.root).c2pa == "invalid"


def test_saved_again_they_are_gone(file: Path, signer: Signer) -> None:
    Image.open(io.BytesIO(signer.sign(picture(), "image/jpeg", AI))).save(file, "JPEG")
    assert credentials.read(file, signer.root) == Provenance("absent")


@pytest.mark.parametrize("content", [b"\x1aE\xdf\xa3 webm jumdc2pa", b"FLV\x01 jumdc2pa", b"jumdc2pa", b"x"])
def test_containers_that_hold_none(file: Path, content: bytes) -> None:
    file.write_bytes(content)
    assert credentials.read(file).c2pa == "absent"


@pytest.mark.parametrize("told", ["[]", '{"manifests": []}', '{"manifests": {"a": 1}, "active_manifest": "a"}'])
def test_what_the_library_tells_in_other_shapes_is_invalid(
    file: Path, signer: Signer, monkeypatch: pytest.MonkeyPatch, told: str
) -> None:
    file.write_bytes(signer.sign(picture(), "image/jpeg", AI))
    monkeypatch.setattr("c2pa.Reader.json", lambda reader: told)
    assert credentials.read(file, signer.root).c2pa == "invalid"


def test_nothing_is_fetched(file: Path) -> None:
    """A library that fetches manifests by itself would ask whatever address a file names."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.setblocking(False)
        address = f"http://127.0.0.1:{server.getsockname()[1]}/m.c2pa"
        packet = (
            '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
            f'<rdf:Description xmlns:dcterms="http://purl.org/dc/terms/" dcterms:provenance="{address}"/>'
            "</rdf:RDF></x:xmpmeta>"
        )
        Image.open(io.BytesIO(picture())).save(file, "JPEG", xmp=packet.encode())
        assert credentials.read(file) == Provenance("remote_only")
        with pytest.raises(BlockingIOError):
            server.accept()


@given(st.text(max_size=400))
def test_a_name_is_short_and_printable(text: str) -> None:
    shown = credentials.name(text)
    assert shown is None or (shown.isprintable() and 0 < len(shown) <= LONGEST_NAME and shown == shown.strip())


def test_what_is_no_text_is_no_name() -> None:
    assert credentials.name(7) is None
    assert credentials.name("\u202ea\nb\0") == "a b"
