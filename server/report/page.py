"""A verdict as one HTML file that needs nothing else: pictures, style and script are inside, and nothing is fetched.

It takes a verdict as the API shows it and a way to its pictures, so that the command line and the service write the
same report. No ML library, no request, no database.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from server import words
from server.report import sections

HERE = Path(__file__).parent
STATIC = HERE.parent / "web" / "static"  # the look of the pages: colours, type and shapes stand there once
STYLES = (STATIC / "tokens.css", STATIC / "page.css", STATIC / "verdict.css", HERE / "report.css")

Pictures = Callable[[str], bytes | None]  # by the address a verdict gives; None: no longer kept


def render(
    verdict: Mapping[str, Any],
    pictures: Pictures,
    *,
    named: str,
    made: datetime,
    catalogue: Sequence[Mapping[str, Any]],
    measured: Mapping[str, Any] | None = None,
) -> str:
    """`named`: what was checked, in the words of who asked. `catalogue`: the detectors, as GET /api/v1/models lists
    them. `measured`: the error rates of the calibration that was used, where they are known."""
    style, script = _style(), Markup(_text(HERE / "report.js"))  # noqa: S704  our own files
    return _environment().get_template("report.html").render(
        verdict=verdict,
        named=named,
        made=made,
        style=style,
        script=script,
        policy=_policy(style, script),
        shapes=Markup(_text(STATIC / "shapes.svg")),  # noqa: S704
        picture=cache(lambda address: _inside(pictures(address))),
        people=sections.people(verdict),
        strips=sections.strips(verdict),
        frames=sections.frames(verdict),
        methods=sections.methods(verdict, catalogue),
        log_odds=sections.log_odds(verdict),
        blink=sections.blink(verdict),
        forensics=verdict.get("forensics") or (),
        facts=sections.facts(verdict),
        cards=[entry for entry in catalogue if entry["name"] in {d["name"] for d in verdict["detectors"]}],
        measured=measured,
    )  # fmt: skip


def _inside(jpeg: bytes | None) -> str | None:
    return None if jpeg is None else "data:image/jpeg;base64," + base64.b64encode(jpeg).decode()


def _style() -> Markup:
    return Markup("\n".join(_text(path) for path in STYLES))  # noqa: S704


def _policy(style: str, script: str) -> str:
    """The browser is told what the page promises: only its own style and script run, and nothing is ever fetched."""
    return f"default-src 'none'; img-src data:; style-src {_digest(style)}; script-src {_digest(script)}"


def _digest(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


@cache
def _text(path: Path) -> str:
    return path.read_text(encoding="utf-8").strip()


@cache
def _environment() -> Environment:
    made = Environment(
        loader=PackageLoader("server.report"), autoescape=True, undefined=StrictUndefined, trim_blocks=True,
        lstrip_blocks=True,
    )  # fmt: skip
    made.globals["words"] = words
    return made
