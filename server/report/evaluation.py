"""An evaluation of the detectors as one HTML file in the look of the pages: no script, and nothing is fetched."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

STATIC = Path(__file__).parents[1] / "web" / "static"
STYLES = (STATIC / "tokens.css", STATIC / "page.css", Path(__file__).parent / "evaluation.css")


def render(title: str, sections: Sequence[Mapping[str, Any]]) -> str:
    """`sections`: title, sentences, tables (head, rows) and plots (title, svg, table); the SVG is escaped already."""
    made = Environment(
        loader=PackageLoader("server.report"), autoescape=True, undefined=StrictUndefined, trim_blocks=True,
        lstrip_blocks=True,
    )  # fmt: skip
    return made.get_template("evaluation.html").render(
        title=title,
        sections=sections,
        style=Markup("\n".join(path.read_text(encoding="utf-8") for path in STYLES)),  # noqa: S704  our own files
        drawn=Markup,
    )
