"""Two maps of a still for who reads such maps: how it changes when saved again, and how noisy it is. No score, no vote.

Both read what the last saving and the camera left in single pixels. Scaling averages that away, and a video codec
throws it out, so of a picture that was scaled down to be decoded, and of a clip, no map is made.
"""

from __future__ import annotations

from collections.abc import Iterator

import cv2
import numpy as np

from models import explain
from models.types import Floats, ForensicMap, MediaInfo, Rgb

MOST_SIDE = 1024  # of a map; larger pictures are looked at whole and shown smaller
SMALLEST_SIDE = 64
SAVED_AT = 90  # JPEG quality; pasted parts of quality 50-95 stand out, and so do parts never saved as JPEG
BRIGHTEST = 12.0  # mean change, in grey levels, shown as the brightest colour
STRIP = 512  # rows at a time, whole blocks of JPEG and whole cells: 16 megapixels at once would take 200 MB more
MEAN = np.full((1, 3), 1 / 3, np.float32)  # of the colours
CELL = 16  # px; the noise of a cell is that of every other pixel both ways, 64 in all
NOISIEST = 8.0  # standard deviation, in grey levels, shown as the brightest colour
# Immerkaer 1996: this filter is blind to smooth slopes, and multiplies the standard deviation of noise by 6.
LAPLACIAN = np.array([[1, -2, 1], [-2, 4, -2], [1, -2, 1]], np.float32) / 6
MEDIAN_TO_DEVIATION = 1.4826

ERROR_LEVEL = (
    "How much each place changes when the picture is saved again as JPEG: a part that was saved differently from the "
    "rest can stand out. Edges and fine patterns are always bright, and nothing shows once the whole picture was "
    "saved again, scaled or photographed from a screen. It decides nothing."
)
NOISE = (
    "How noisy each place is: a part from another picture, or made by a program, can be smoother or rougher than its "
    "surroundings. Sharp detail looks like noise, blurred background and strong light look smooth, and phones smooth "
    "faces by themselves. It decides nothing."
)


def maps(rgb: Rgb, info: MediaInfo) -> tuple[ForensicMap, ...]:
    """Of the picture as it was decoded; none where that would show nothing but the scaling or the codec."""
    height, width = rgb.shape[:2]
    if info.kind != "image" or (width, height) != (info.width, info.height) or min(width, height) < SMALLEST_SIDE:
        return ()
    return (
        ForensicMap("error_level", explain.map_jpeg(error_level(rgb) / BRIGHTEST), ERROR_LEVEL),
        ForensicMap("noise", explain.map_jpeg(_grown(noise(rgb), width, height) / NOISIEST), NOISE),
    )


def error_level(rgb: Rgb) -> Floats:
    """Mean change over the colours, in grey levels; (h, w) with neither side over MOST_SIDE."""
    changes = (cv2.absdiff(strip, _saved_again(strip)) for strip in _strips(rgb))
    return _shrunk(np.concatenate([cv2.transform(change.astype(np.float32), MEAN) for change in changes]))


def noise(rgb: Rgb) -> Floats:
    """Standard deviation of the noise of each cell, in grey levels; (h / CELL, w / CELL).

    The median keeps an edge that crosses a cell from counting as noise.
    """
    return np.concatenate([_noise(strip) for strip in _strips(rgb) if len(strip) >= CELL])


def _noise(rgb: Rgb) -> Floats:
    grey = cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY).astype(np.float32)
    height, width = (side // CELL * CELL for side in grey.shape)
    rough = np.abs(cv2.filter2D(grey, -1, LAPLACIAN, borderType=cv2.BORDER_REFLECT_101))[:height:2, :width:2]
    cells = rough.reshape(height // CELL, CELL // 2, width // CELL, CELL // 2).swapaxes(1, 2)
    medians = np.median(cells.reshape(height // CELL, width // CELL, -1), axis=2)
    return np.asarray(medians * MEDIAN_TO_DEVIATION, np.float32)


def _strips(rgb: Rgb) -> Iterator[Rgb]:
    for top in range(0, len(rgb), STRIP):
        yield rgb[top : top + STRIP]


def _saved_again(rgb: Rgb) -> Rgb:
    _, data = cv2.imencode(".jpg", cv2.cvtColor(rgb, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_JPEG_QUALITY, SAVED_AT])
    return np.asarray(cv2.imdecode(data, cv2.IMREAD_COLOR_RGB), np.uint8)


def _shrunk(values: Floats) -> Floats:
    height, width = values.shape
    scale = min(1.0, MOST_SIDE / max(height, width))
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    return np.asarray(cv2.resize(values, size, interpolation=cv2.INTER_AREA), np.float32)


def _grown(cells: Floats, width: int, height: int) -> Floats:
    """To the size of the other map, so that the two can be laid over each other."""
    scale = min(1.0, MOST_SIDE / max(height, width))
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    return np.asarray(cv2.resize(cells, size, interpolation=cv2.INTER_NEAREST), np.float32)
