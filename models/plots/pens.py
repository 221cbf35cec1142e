"""Two pens that draw the same strokes: one as SVG for a page, one as PNG. No plotting library.

Colours of series are Okabe and Ito's, which the colour-blind tell apart; a series has a dash as well. Frame and text
take the page's own colours in SVG, so that a plot fits a dark page too.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from html import escape
from itertools import pairwise
from math import hypot
from typing import Literal, Protocol

from PIL import Image, ImageDraw, ImageFont

Point = tuple[float, float]
Anchor = Literal["start", "middle", "end"]

TEXT, MUTED, GRID = "text", "muted", "line"  # the page's
SERIES = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9")
DASHES: tuple[tuple[int, ...], ...] = ((), (7, 4), (2, 3), (9, 3, 2, 3), (4, 2), (12, 5))
ON_PAPER = {TEXT: "#1B2430", MUTED: "#566273", GRID: "#D5DAE1"}
PALETTE = 64  # a PNG of few colours is a third as large
SHARPER = 3  # a PNG is drawn this much larger and scaled down: smooth lines


class Pen(Protocol):
    def line(self, points: Sequence[Point], colour: str, width: float = 1, dash: Sequence[int] = ()) -> None: ...

    def box(self, left: float, top: float, width: float, height: float, colour: str, said: str = "") -> None: ...

    def dot(self, at: Point, colour: str, said: str) -> None: ...

    def text(self, at: Point, words: str, anchor: Anchor = "start", colour: str = MUTED, upright: bool = True) -> None:
        """`upright`: else it reads from below."""
        ...


class SvgPen:
    """`said` is shown on hover and focus."""

    def __init__(self, width: int, height: int, name: str) -> None:
        self._parts = [
            f'<svg viewBox="0 0 {width} {height}" width="{width}" height="{height}" role="img" '
            f'xmlns="http://www.w3.org/2000/svg" font-size="13" aria-label="{escape(name)}">'
        ]

    def line(self, points: Sequence[Point], colour: str, width: float = 1, dash: Sequence[int] = ()) -> None:
        where = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
        dashed = f' stroke-dasharray="{" ".join(map(str, dash))}"' if dash else ""
        self._parts.append(
            f'<polyline points="{where}" fill="none" stroke="{_css(colour)}" stroke-width="{width:g}"{dashed}/>'
        )

    def box(self, left: float, top: float, width: float, height: float, colour: str, said: str = "") -> None:
        shape = f'<rect x="{left:.1f}" y="{top:.1f}" width="{width:.1f}" height="{height:.1f}" fill="{_css(colour)}"'
        self._parts.append(f"{shape}/>" if not said else f'{shape} tabindex="0"><title>{escape(said)}</title></rect>')

    def dot(self, at: Point, colour: str, said: str) -> None:
        self._parts.append(
            f'<circle cx="{at[0]:.1f}" cy="{at[1]:.1f}" r="3.5" fill="{_css(colour)}" tabindex="0">'
            f"<title>{escape(said)}</title></circle>"
        )

    def text(self, at: Point, words: str, anchor: Anchor = "start", colour: str = MUTED, upright: bool = True) -> None:
        x, y = at
        turned = "" if upright else f' transform="rotate(-90 {x:.1f} {y:.1f})"'
        self._parts.append(
            f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" fill="{_css(colour)}"{turned}>{escape(words)}</text>'
        )

    def drawn(self) -> str:
        return "".join([*self._parts, "</svg>"])


def _css(colour: str) -> str:
    return f"var(--{colour}, {ON_PAPER[colour]})" if colour in ON_PAPER else colour


class PngPen:
    def __init__(self, width: int, height: int) -> None:
        self._picture = Image.new("RGB", (width * SHARPER, height * SHARPER), "white")
        self._draw = ImageDraw.Draw(self._picture)
        self._font = ImageFont.load_default(13 * SHARPER)

    def line(self, points: Sequence[Point], colour: str, width: float = 1, dash: Sequence[int] = ()) -> None:
        for piece in _dashed(points, dash) if dash else [points]:
            where = [(x * SHARPER, y * SHARPER) for x, y in piece]
            self._draw.line(where, ON_PAPER.get(colour, colour), round(width * SHARPER), joint="curve")

    def box(self, left: float, top: float, width: float, height: float, colour: str, said: str = "") -> None:
        corners = [value * SHARPER for value in (left, top, left + width, top + height)]
        if height > 0:
            self._draw.rectangle(corners, ON_PAPER.get(colour, colour))

    def dot(self, at: Point, colour: str, said: str) -> None:
        x, y = at
        self._draw.ellipse([(v + r) * SHARPER for r in (-3.5, 3.5) for v in (x, y)], ON_PAPER.get(colour, colour))

    def text(self, at: Point, words: str, anchor: Anchor = "start", colour: str = MUTED, upright: bool = True) -> None:
        place = {"start": "ls", "middle": "ms", "end": "rs"}[anchor]
        x, y = (round(value * SHARPER) for value in at)
        if upright:
            self._draw.text((x, y), words, ON_PAPER.get(colour, colour), self._font, place)
            return
        left, top, right, bottom = (round(edge) for edge in self._draw.textbbox((0, 0), words, self._font, "lt"))
        sheet = Image.new("L", (right - left + 2, bottom - top + 2), 0)
        ImageDraw.Draw(sheet).text((1, 1), words, 255, self._font, "lt")
        turned = sheet.rotate(90, expand=True)
        down = {"start": turned.height, "middle": turned.height // 2, "end": 0}[anchor]
        self._picture.paste(ON_PAPER.get(colour, colour), (x - turned.width, y - down), turned)

    def drawn(self) -> bytes:
        size = (self._picture.width // SHARPER * 2, self._picture.height // SHARPER * 2)
        held = io.BytesIO()
        smooth = self._picture.resize(size, Image.Resampling.LANCZOS)
        smooth.quantize(PALETTE, dither=Image.Dither.NONE).save(held, "PNG", optimize=True)
        return held.getvalue()


def _dashed(points: Sequence[Point], dash: Sequence[int]) -> list[list[Point]]:
    """The line in pieces: drawn, left out, drawn, ..."""
    lengths = [*dash] * (1 + len(dash) % 2)
    pieces: list[list[Point]] = [[points[0]]]
    turn, left = 0, float(lengths[0])
    for (x0, y0), (x1, y1) in pairwise(points):
        whole = hypot(x1 - x0, y1 - y0)
        gone = 0.0
        while whole - gone > left:
            gone += left
            at = (x0 + (x1 - x0) * gone / whole, y0 + (y1 - y0) * gone / whole)
            if turn % 2 == 0:
                pieces[-1].append(at)
            else:
                pieces.append([at])
            turn += 1
            left = float(lengths[turn % len(lengths)])
        left -= whole - gone
        if turn % 2 == 0:
            pieces[-1].append((x1, y1))
    return [piece for piece in pieces if len(piece) > 1]
