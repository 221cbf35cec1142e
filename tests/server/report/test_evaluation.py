from __future__ import annotations

import re

from models.evaluate.report import Section, Table, shown
from models.plots.charts import Axis, Chart, Series
from server.report.evaluation import render

SHARE = Axis("share", 1, [0, 1], "%")


def test_the_page_is_whole_and_takes_nothing_from_outside() -> None:
    hostile = "<i onclick=alert(1)>"
    plot = Chart("ROC", SHARE, SHARE, [Series(hostile, [(0, 0), (1, 1)], dots=True)])
    page = render(
        "Evaluation on <b>", shown([Section(hostile, [hostile], [Table([hostile], [[hostile]])], {"roc": plot})])
    )
    assert "<i " not in page
    assert "<b>" not in page
    assert "<script" not in page
    assert re.findall(r"""(?:src|href)=|url\(|@import|https?://(?!www\.w3\.org)""", page) == []
    assert "default-src 'none'" in page
    assert page.count("<polyline") >= 1
    assert "Show as table" in page
    assert "--accent" in page
