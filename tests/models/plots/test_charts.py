from __future__ import annotations

import io
from xml.etree import ElementTree

import numpy as np
from PIL import Image

from models.plots.charts import HEIGHT, WIDTH, Axis, Chart, Counts, Series, png, svg, table
from models.plots.pens import DASHES, SERIES, _dashed

SHARE = Axis("share <of all>", 1, [0, 0.5, 1], "%")
LINES = Chart(
    "Two & more",
    SHARE,
    Axis("items", 20, [0, 10, 20]),
    [Series("one", [(0, 0), (0.5, 10), (1, 20)], dots=True), Series("two", [(0, 20), (1, 0)])],
    diagonal=True,
)
BARS = Chart("Bars", SHARE, SHARE, [Series("genuine", [(0, 0.2), (0.5, 1)], bars=True)])
COUNTS = Counts("Called", ["genuine", "manipulated"], ["below", "above"], [[3, 1], [0, 1234]])


def test_series_differ_by_colour_and_by_line_and_tell_their_values() -> None:
    drawn = ElementTree.fromstring(svg(LINES))
    lines = [line for line in drawn.iter() if line.tag.endswith("polyline") and line.get("stroke-width") == "2"]
    assert {line.get("stroke") for line in lines} == set(SERIES[:2])
    assert {line.get("stroke-dasharray") for line in lines} == {None, " ".join(map(str, DASHES[1]))}
    said = [title.text for title in drawn.iter() if title.tag.endswith("title")]
    assert said == [
        "one: share <of all> 0 %, items 0",
        "one: share <of all> 50 %, items 10",
        "one: share <of all> 100 %, items 20",
    ]
    words = {text.text for text in drawn.iter() if text.tag.endswith("text")}
    assert {"Two & more", "share <of all>", "items", "one", "two", "50 %"} <= words


def test_names_are_escaped() -> None:
    hostile = Chart("<script>alert(1)</script>", SHARE, SHARE, [Series('"><b>', [(0, 0)], dots=True)])
    assert "<script>" not in svg(hostile)
    assert "<b>" not in svg(hostile)


def test_both_pens_draw_the_same_plot() -> None:
    for plot in (LINES, BARS, COUNTS):
        picture = Image.open(io.BytesIO(png(plot))).convert("RGB")
        assert picture.size == (2 * WIDTH, 2 * HEIGHT)
        assert len(np.unique(np.asarray(picture).reshape(-1, 3), axis=0)) > 3
        ElementTree.fromstring(svg(plot))
    blue = np.asarray(Image.open(io.BytesIO(png(BARS))).convert("RGB")).reshape(-1, 3)
    assert (np.abs(blue - np.array([0x00, 0x72, 0xB2])).sum(axis=1) < 12).any()


def test_every_plot_is_a_table_too() -> None:
    assert table(COUNTS) == (["", "below", "above"], [["genuine", "3", "1"], ["manipulated", "0", "1,234"]])
    head, rows = table(LINES)
    assert head == ["", "share <of all>", "items"]
    assert rows[1] == ["one", "50 %", "10"]


def test_dashes_keep_their_rhythm_over_corners() -> None:
    pieces = _dashed([(0, 0), (3, 0), (3, 9)], (4, 2))
    assert pieces == [[(0, 0), (3, 0), (3, 1)], [(3, 3), (3, 7)]]
    assert _dashed([(0, 0), (0, 0)], (4, 2)) == [[(0, 0), (0, 0)]]
