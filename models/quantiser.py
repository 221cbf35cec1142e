"""How coarsely a frame of H.264 was quantised, as its decoder tells it. H.264 smooths its blocks: pixels do not tell.

FFmpeg's AVVideoEncParams: a header, then for each block its place, its size, and how its quantiser differs.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from av import VideoFrame

ASKED_FOR = {"export_side_data": "venc_params"}  # option of the decoder, before it is opened
_HEADER = struct.Struct("I4xQQii")  # blocks, where they begin, bytes of one, codec, quantiser of the frame
_H264 = 1
_DELTA = 16  # bytes into a block: behind x, y, width and height


def of(frame: VideoFrame) -> float | None:
    """Mean over the frame's blocks, 0 (fine) to 51 (coarse); None for other codecs, whose scales differ."""
    found: Any = frame.side_data.get("VIDEO_ENC_PARAMS")
    if found is None:
        return None
    content = bytes(found)
    count, begin, size, codec, base = _HEADER.unpack_from(content)
    if codec != _H264 or not count:
        return None
    return float(base + np.ndarray((count,), np.int32, content, begin + _DELTA, (size,)).mean())
