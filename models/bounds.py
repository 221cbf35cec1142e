"""What decoding may cost and bring: limits, and the refusal that pictures and clips share."""

from __future__ import annotations

from dataclasses import dataclass

from models.errors import TooManyPixels

GLANCE_SIDE = 640  # px: blinks of faces 58 px wide were counted in it as in pictures of full size
LONGEST_NAME, MOST_TOLD = 120, 8  # characters of a name that a file brings, and such names of one kind


@dataclass(frozen=True)
class DecodeLimits:
    """`max_pixels` of one frame, `max_seconds` of a clip; frames are scaled down to `max_side`.

    A still keeps more, `max_still_side`: in a group photograph each face is a small part.
    """

    max_pixels: int
    max_seconds: float
    max_side: int = 1920
    max_still_side: int = 4096
    threads: int = 2

    def check_pixels(self, width: int, height: int) -> None:
        if width * height > self.max_pixels:
            raise TooManyPixels(
                f"{width} x {height} pixels are more than the {self.max_pixels:,} that are looked at. "
                "Send a smaller version."
            )
