"""Charts of named series over two axes, and tables of counts as shaded squares; drawn by either pen."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from models.plots.pens import DASHES, GRID, MUTED, SERIES, TEXT, Pen, PngPen, Point, SvgPen

WIDTH, HEIGHT = 460, 372
LEFT, RIGHT, TOP, BOTTOM = 62, 26, 34, 76
SHADES = ("#F6F7F9", "#CFE1EE", "#9FC3DE", "#6FA5CD")


@dataclass(frozen=True)
class Series:
    """`dots`: with a dot at each point, which says its values. `bars`: points are (left edge, height)."""

    name: str
    points: Sequence[Point]
    dots: bool = False
    bars: bool = False


@dataclass(frozen=True)
class Axis:
    name: str
    top: float
    ticks: Sequence[float]
    form: Literal["%", "n"] = "n"

    def words(self, value: float) -> str:
        return f"{100 * value:.0f} %" if self.form == "%" else f"{value:,.3g}" if value < 1000 else f"{value:,.0f}"


@dataclass(frozen=True)
class Chart:
    title: str
    x: Axis
    y: Axis
    series: Sequence[Series]
    diagonal: bool = False  # what chance, or perfect honesty, would give


@dataclass(frozen=True)
class Counts:
    """`cells[row][column]`."""

    title: str
    rows: Sequence[str]
    columns: Sequence[str]
    cells: Sequence[Sequence[int]]


Plot = Chart | Counts


def svg(plot: Plot) -> str:
    pen = SvgPen(WIDTH, HEIGHT, plot.title)
    _draw(plot, pen)
    return pen.drawn()


def png(plot: Plot) -> bytes:
    pen = PngPen(WIDTH, HEIGHT)
    _draw(plot, pen)
    return pen.drawn()


def table(plot: Plot) -> tuple[list[str], list[list[str]]]:
    """Head and rows of what the plot shows, for who would rather read it."""
    if isinstance(plot, Counts):
        pairs = zip(plot.rows, plot.cells, strict=True)
        return ["", *plot.columns], [[name, *(f"{count:,}" for count in row)] for name, row in pairs]
    rows = [[s.name, plot.x.words(x), plot.y.words(y)] for s in plot.series for x, y in s.points]
    return ["", plot.x.name, plot.y.name], rows


def _draw(plot: Plot, pen: Pen) -> None:
    pen.text((LEFT, 20), plot.title, colour=TEXT)
    if isinstance(plot, Counts):
        _draw_counts(plot, pen)
    else:
        _draw_chart(plot, pen)


def _draw_chart(chart: Chart, pen: Pen) -> None:
    for value in chart.x.ticks:
        x, _ = _at(chart, value, 0)
        pen.line([(x, TOP), (x, HEIGHT - BOTTOM)], GRID)
        pen.text((x, HEIGHT - BOTTOM + 17), chart.x.words(value), "middle")
    for value in chart.y.ticks:
        _, y = _at(chart, 0, value)
        pen.line([(LEFT, y), (WIDTH - RIGHT, y)], GRID)
        pen.text((LEFT - 6, y + 4), chart.y.words(value), "end")
    pen.text(((LEFT + WIDTH - RIGHT) / 2, HEIGHT - BOTTOM + 36), chart.x.name, "middle")
    pen.text((16, (TOP + HEIGHT - BOTTOM) / 2), chart.y.name, "middle", upright=False)
    if chart.diagonal:
        pen.line([_at(chart, 0, 0), _at(chart, chart.x.top, chart.y.top)], MUTED, 1, (3, 4))
    bars = [series for series in chart.series if series.bars]
    for number, series in enumerate(chart.series):
        colour = SERIES[number % len(SERIES)]
        if series.bars:
            _bars(chart, series, bars.index(series), len(bars), colour, pen)
        elif series.points:
            places = [_at(chart, *point) for point in series.points]
            pen.line(places, colour, 2, DASHES[number % len(DASHES)])
            for point, place in zip(series.points, places, strict=True) if series.dots else ():
                pen.dot(place, colour, f"{series.name}: {_said(chart, point)}")
    _legend(chart, pen)


def _bars(chart: Chart, series: Series, place: int, of: int, colour: str, pen: Pen) -> None:
    """Side by side within each stretch."""
    wide = (WIDTH - LEFT - RIGHT) / len(series.points) / of
    for point in series.points:
        x, y = _at(chart, *point)
        low = HEIGHT - BOTTOM
        pen.box(x + place * wide, y, wide * 0.9, low - y, colour, f"{series.name}: {_said(chart, point)}")


def _said(chart: Chart, point: Point) -> str:
    return f"{chart.x.name} {chart.x.words(point[0])}, {chart.y.name} {chart.y.words(point[1])}"


def _legend(chart: Chart, pen: Pen) -> None:
    x, y = float(LEFT), HEIGHT - 22.0
    for number, series in enumerate(chart.series):
        wide = 36 + 7.5 * len(series.name)
        if x + wide > WIDTH:
            x, y = float(LEFT), y + 16
        colour = SERIES[number % len(SERIES)]
        if series.bars:
            pen.box(x, y - 9, 10, 10, colour)
        else:
            pen.line([(x, y - 4), (x + 22, y - 4)], colour, 2, DASHES[number % len(DASHES)])
        pen.text((x + (14 if series.bars else 26), y), series.name, colour=TEXT)
        x += wide


def _at(chart: Chart, x: float, y: float) -> Point:
    across, up = (min(max(value / axis.top, 0), 1) for value, axis in ((x, chart.x), (y, chart.y)))
    return LEFT + across * (WIDTH - LEFT - RIGHT), HEIGHT - BOTTOM - up * (HEIGHT - TOP - BOTTOM)


def _draw_counts(plot: Counts, pen: Pen) -> None:
    left, top = 110, 60
    wide, high = (WIDTH - left - RIGHT) / len(plot.columns), (HEIGHT - top - 40) / len(plot.rows)
    for column, words in enumerate(plot.columns):
        pen.text((left + (column + 0.5) * wide, top - 8), words, "middle")
    for row, (words, cells) in enumerate(zip(plot.rows, plot.cells, strict=True)):
        pen.text((left - 8, top + (row + 0.5) * high + 4), words, "end")
        for column, count in enumerate(cells):
            share = count / max(sum(cells), 1)
            shade = SHADES[min(int(share * len(SHADES)), len(SHADES) - 1)]
            x, y = left + column * wide, top + row * high
            pen.box(x, y, wide - 4, high - 4, shade, f"{words}, {plot.columns[column]}: {count:,}")
            # Dark in both themes: the squares are light in both.
            pen.text((x + wide / 2 - 2, y + high / 2), f"{count:,}", "middle", "#1B2430")
            pen.text((x + wide / 2 - 2, y + high / 2 + 18), f"{share:.0%}", "middle", "#1B2430")
