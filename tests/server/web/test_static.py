"""Rules for what the browser gets: colours stand in one file, nothing parses data as HTML, no shape is missing."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import server.web
from server.verdict import LABELS, REASONS

STATIC = Path(server.web.__path__[0]) / "static"
TEMPLATES = STATIC.parent / "templates"
LIKELY = {"light": "#B3261E", "dark": "#FF9A90"}


@pytest.mark.parametrize("path", sorted(STATIC.glob("*.css")), ids=lambda path: path.name)
def test_colours_stand_in_one_file(path: Path) -> None:
    colours = re.findall(r"#[0-9A-Fa-f]{3,8}\b(?!\s*\{)", path.read_text())
    if path.name == "tokens.css":
        assert set(LIKELY.values()) <= set(colours)
    else:
        assert [colour for colour in colours if not colour[1:].isalpha()] == []


def test_both_themes_have_every_colour() -> None:
    light, _, dark = (STATIC / "tokens.css").read_text().partition("prefers-color-scheme: dark")
    names = {kind: set(re.findall(r"(--[\w-]+): #", text)) for kind, text in (("light", light), ("dark", dark))}
    assert names["light"] == names["dark"]
    assert len(names["light"]) == 18


@pytest.mark.parametrize("path", sorted(STATIC.glob("*.js")), ids=lambda path: path.name)
def test_scripts_never_parse_data_as_html(path: Path) -> None:
    text = path.read_text()
    for forbidden in ("innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval(", "new Function"):
        assert forbidden not in text
    assert "http://" not in text.replace("http://www.w3.org/2000/svg", "")


def test_every_label_has_words_and_a_shape_and_every_reason_a_sentence() -> None:
    words, shapes = (STATIC / "words.js").read_text(), (STATIC / "shapes.svg").read_text()
    for label in LABELS:
        assert f"  {label}: [" in words
        assert f'id="{label}"' in shapes
    for reason in REASONS:
        assert re.search(rf"^  {reason}(:|,)", words, re.MULTILINE), reason


def test_pages_never_mark_data_as_safe() -> None:
    for path in TEMPLATES.glob("*.html"):
        assert "|safe" not in path.read_text().replace(" ", "")
        assert "<script>" not in path.read_text()
