"""A report needs nothing but itself, and nothing in it that came from outside is ever markup."""

from __future__ import annotations

import base64
import hashlib
import re
import subprocess
import sys
from datetime import UTC, datetime
from html.parser import HTMLParser
from typing import Any

import pytest

from server import verdict as rules
from server.report import page
from tests.server.report.verdicts import JPEG, blinking, clip, detector, face, picture
from tests.server.test_words import CLAIMS
from tests.server.web.conftest import MEASURED

HOSTILE = "<script>alert(1)</script>\"'><img src=//evil.example/x onerror=alert(1)>&amp;{{ 7 * 7 }}.mp4"
CATALOGUE = [
    {"name": "meso4", "title": "Meso-4", "version": "1.0", "card": "# Meso-4 & others\n<b>blind</b>"},
    {"name": "other", "title": "Not asked", "version": "1.0", "card": "of no use here"},
]


def report(verdict: dict[str, Any], named: str = "clip.mp4", kept: bool = True, **other: Any) -> str:
    made = datetime(2026, 11, 21, 10, 0, tzinfo=UTC)
    pictures = (lambda _: JPEG) if kept else (lambda _: None)
    return page.render(verdict, pictures, named=named, made=made, catalogue=CATALOGUE, **other)


class Page(HTMLParser):
    """Every element with its attributes, and the text outside of style, script and cards."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self._in = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))
        self._in = tag

    def handle_endtag(self, tag: str) -> None:
        self._in = ""

    def handle_data(self, data: str) -> None:
        self.text += data if self._in not in ("style", "script", "pre") else ""

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.found if name == tag]


EVERY = [clip(), picture(), blinking(), clip(segments=[], probability=None, interval=None, label="not_assessable")]


@pytest.mark.parametrize("verdict", EVERY)
def test_it_asks_for_nothing(verdict: dict[str, Any]) -> None:
    for tag, attributes in Page(report(verdict, measured=MEASURED)).found:
        for name in ("src", "href", "srcset", "action", "data", "poster"):
            address = attributes.get(name)
            assert address is None or address.startswith(("data:image/jpeg;base64,", "#")), (tag, name)
        assert not any(name.startswith("on") or name == "style" for name in attributes), "the policy would forbid it"
        assert tag not in ("link", "iframe", "object", "embed", "base")
    assert "@import" not in page._style()
    assert "url(" not in page._style()


def test_the_policy_names_the_style_and_the_script_that_are_there() -> None:
    html = report(clip())
    for tag in ("style", "script"):
        (text,) = re.findall(rf"<{tag}>(.*?)</{tag}>", html, re.DOTALL)
        assert f"{tag}-src 'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'" in (
            Page(html).all("meta")[1]["content"] or ""
        )


def test_hostile_names_stay_text() -> None:
    verdict = clip(
        detectors=[detector("meso4", reason=HOSTILE, evidence=HOSTILE), detector(HOSTILE)],
        reasons=[HOSTILE], kinds=[HOSTILE], calibration=HOSTILE, pipeline=HOSTILE,
        forensics=[{"name": HOSTILE, "picture": "p", "reading": HOSTILE}],
        provenance={"c2pa": HOSTILE, "generator": HOSTILE},
    )  # fmt: skip
    html = report(verdict, HOSTILE, measured={**MEASURED, "dataset": HOSTILE})
    shown = Page(html)
    assert len(shown.all("script")) == 1
    assert all((image["src"] or "").startswith("data:") for image in shown.all("img"))
    assert "evil.example" not in re.sub(r"&lt;.*?&gt;", "", html), "only as text"
    assert shown.text.count(HOSTILE) >= 8


@pytest.mark.parametrize("label", rules.LABELS)
def test_every_label_has_its_words_and_its_shape(label: str) -> None:
    basis = "human" if label in rules.HUMAN_LABELS else "ensemble"
    shown = Page(report(clip(label=label, basis=basis)))
    used = {attributes["href"] for attributes in shown.all("use")}
    assert f"#{label}" in used
    assert used <= {f"#{attributes['id']}" for attributes in shown.all("symbol")}


def test_what_is_told() -> None:
    text = " ".join(Page(report(clip(), measured=MEASURED)).text.split())
    for told in (
        "Of material that scores like this, 88 in 100 was manipulated (82-96), where half the material is.",
        "The methods disagree: blend 0.95, meso4 0.20. A reviewer should look.",
        "Ticks: up to 12, manipulated material hardly ever scores so low; above 87, genuine material",
        "3.0 s to 6.0 s, highest 0.90",
        "No single face scores 0.65 or more",
        "+0.00 to start with, +2.00 in all, which is 88 in 100",
        "Not looked at: whether the file carries a signed statement",
        "Of the 2,060 genuine items",
        "Of 1,492 manipulated ones (face swap), 45.0 % would be found",
        "The card of Meso-4 1.0",
        "asked for 20 frames",
        "p3-1",
    ):
        assert told in text, told
    assert "Not asked" not in text
    assert not CLAIMS.search(text)


def test_with_so_many_people_that_nothing_is_likely() -> None:
    scale = {"likely": None, "no_evidence": 0.1, "low": 0.35, "high": 0.65}
    assert "no score is high enough" in report(clip(scale=scale))


def test_boxes_are_drawn_over_the_frame_not_into_it() -> None:
    shown = Page(report(clip()))
    assert [box["viewbox"] for box in shown.all("svg") if box.get("class") == "boxes"] == ["0 0 640 360"] * 2
    assert {"x": "300", "y": "20", "width": "30", "height": "40"} in shown.all("rect")


def test_pictures_that_are_no_longer_kept_are_left_out() -> None:
    shown = Page(report(clip(forensics=[{"name": "noise", "picture": "p", "reading": "how"}]), kept=False))
    assert shown.all("img") == []


def test_a_verdict_of_an_earlier_version() -> None:
    """Kept for a month, and exported then: what came later is absent."""
    old = clip()
    for name in ("scale", "forensics", "provenance"):
        del old[name]
    for row in old["detectors"]:
        del row["contribution"]
    for segment in old["segments"]:
        del segment["timeline"]
        segment["frames"] = [{name: value for name, value in face(2.0, 0.5).items() if not name.startswith("frame")}]
    assert "Not looked at" in report(old)


def test_it_needs_no_ml_library() -> None:
    code = "import sys, server.report.page; print(sorted({'numpy', 'cv2', 'onnxruntime', 'models'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
