"""What a file says of where it comes from: signed, by its Content Credentials, and unsigned, by the marks in it.

Read where hostile bytes belong, in the decoding child. A file that says nothing is no more and no less suspicious.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from models import credentials, marks
from models.types import MediaInfo, Provenance


def read(path: Path, info: MediaInfo, anchors: str | None = None) -> Provenance:
    """`anchors`: certificates (PEM) of those whose signers are trusted."""
    found = credentials.read(path, anchors)
    seen = marks.read(path, info)
    program = next((mark.says for mark in seen if mark.says in marks.PROGRAMS), None)
    return replace(found, marks=seen, generator=found.generator or program)
