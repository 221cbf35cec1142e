from __future__ import annotations

from pathlib import Path

import av
import pytest

from models.decode import DecodeLimits, decode
from models.types import Rgb
from tests.models.media import write_clip


def quantisers(path: Path, limits: DecodeLimits) -> list[float | None]:
    return [frame.quantiser for frame in decode(path, limits, 4)]


@pytest.mark.parametrize("qp", [20, 40])
def test_the_quantiser_of_h264_is_the_one_it_was_encoded_with(
    tmp_path: Path, portrait: Rgb, limits: DecodeLimits, qp: int
) -> None:
    path = tmp_path / "a.mp4"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=10)
        stream.width = stream.height = 512
        stream.pix_fmt = "yuv420p"
        stream.options = {"qp": str(qp), "preset": "ultrafast"}
        for _ in range(8):
            container.mux(stream.encode(av.VideoFrame.from_ndarray(portrait, format="rgb24")))
        container.mux(stream.encode())
    found = quantisers(path, limits)
    assert len(found) == 4
    assert all(value == pytest.approx(qp, abs=3.5) for value in found), "a key frame's is 3 finer"


@pytest.mark.parametrize(("name", "codec"), [("a.avi", "mpeg4"), ("a.webm", "libvpx")])
def test_other_codecs_count_otherwise(
    tmp_path: Path, portrait: Rgb, limits: DecodeLimits, name: str, codec: str
) -> None:
    assert quantisers(write_clip(tmp_path / name, [portrait] * 4, codec=codec), limits) == [None] * 4
