"""What people read: the same in pages and command line, nothing left without words, no word more than is known."""

from __future__ import annotations

import inspect
import re
from pathlib import Path
from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server import verdict, words
from server.web.api.schemas import ProvenanceBody

CLAIMS = re.compile(r"\b(fake|fakes|faked|real|really|proof|proves?|proven)\b", re.IGNORECASE)
PAGE = Path(words.__file__).parent / "web" / "static" / "words.js"
SOURCE = re.sub(r"^\s*/[/*].*$", "", PAGE.read_text(encoding="utf-8"), flags=re.MULTILINE)


def table(name: str) -> dict[str, str]:
    """What a table of words.js says of each name, as it is written there."""
    found = re.search(rf"const {name} = {{\n(.*?)\n}};", SOURCE, re.DOTALL)
    assert found is not None
    return dict(re.findall(r"^  (\w+): (.*?)(?=^  \w+: |\Z)", found[1], re.DOTALL | re.MULTILINE))


@pytest.mark.parametrize(
    ("said", "vocabulary"),
    [
        (words.LABELS, verdict.LABELS),
        (words.TONES, verdict.LABELS),
        (words.REASONS, verdict.REASONS),
        (table("LABELS"), verdict.LABELS),
        (table("REASONS"), verdict.REASONS),
        (table("STAGES"), verdict.ACTIVE_STATES + verdict.FINAL_STATES),
    ],
    ids=["labels", "tones", "reasons", "labels of the page", "reasons of the page", "stages"],
)
def test_everything_has_words_and_nothing_else(said: dict[str, object], vocabulary: tuple[str, ...]) -> None:
    assert sorted(said) == sorted(vocabulary)
    assert all(said.values())


def test_each_state_of_credentials_and_each_source_has_the_same_words_everywhere() -> None:
    states = get_args(ProvenanceBody.model_fields["c2pa"].annotation)
    assert sorted(words.CREDENTIALS) == sorted(table("CREDENTIALS")) == sorted(states)
    assert {name: text.split('"')[1] for name, text in table("SOURCES").items()} == words.SOURCES
    assert set(verdict.AI_SOURCES) <= set(words.SOURCES)


SIGNED = {"signer": "A", "generator": "P", "source_types": ["digitalCapture", "newWord"], "declares_ai": False}
AI = {**SIGNED, "source_types": ["trainedAlgorithmicMedia"], "declares_ai": True}


@pytest.mark.parametrize(
    ("found", "said"),
    [
        (None, [words.CREDENTIALS["unchecked"]]),
        ({"c2pa": "unchecked", "generator": None}, [words.CREDENTIALS["unchecked"]]),
        (
            {"c2pa": "trusted", **SIGNED},
            [
                "Signed by A with P, whom this service trusts (Content Credentials).",
                "The signer states: taken by a camera, newWord.",
            ],
        ),
        (
            {"c2pa": "valid_unknown_signer", **AI, "signer": None, "generator": None},
            [
                "Signed by somebody without a name, whom this service does not know (Content Credentials): anybody can "
                "sign so.",
                "The signer states: made with AI. The label does not rest on it.",
            ],
        ),
        ({"c2pa": "invalid", **AI}, [words.CREDENTIALS["invalid"]]),
        (
            {"c2pa": "absent", "marks": [{"where": "EXIF", "says": "Midjourney"}, {"where": "XMP", "says": "{}"}]},
            [
                words.CREDENTIALS["absent"],
                "Unsigned marks in the file, which anybody can write or remove: Midjourney (EXIF), {} (XMP).",
            ],
        ),
    ],
)
def test_origin(found: dict[str, Any] | None, said: list[str]) -> None:
    assert words.origin({"provenance": found}) == said


def test_what_it_looks_like() -> None:
    media, found = {"kind": "image"}, {"checked_at": "2026-11-20T10:00:00.000Z", "label": "inconclusive"}
    assert words.match({"media": media, "match": None}) == ""
    assert words.match({"media": media, "match": found}).startswith(
        "Looks much like another picture, checked on 2026-11-20: Inconclusive. A face can be swapped"
    )


def test_a_reason_is_a_sentence() -> None:
    ends = re.compile(r"(\.[\"`]|smallFace),?$")
    assert [name for name, text in table("REASONS").items() if not ends.search(text.strip())] == []


def test_labels_are_called_the_same_everywhere() -> None:
    shown = {name: text.split('"')[1] for name, text in table("LABELS").items()}
    assert shown == words.LABELS
    assert {name: text.split('"')[3] for name, text in table("LABELS").items()} == words.TONES


def test_no_word_claims_what_nobody_knows() -> None:
    said = [
        *re.findall(r'"(.*)"', inspect.getsource(words)),
        *(text for _, text in re.findall(r"([\"`])(.*?)\1", SOURCE)),
    ]
    assert [text for text in said if CLAIMS.search(text)] == []
    assert any("genuine" in text or "untouched" in text for text in said), "sentences must have been found"
    assert CLAIMS.search("This is Fake."), "the test itself must see such a word"


@pytest.mark.parametrize(
    ("probability", "shown_as"),
    [
        (0.0, 1), (0.004, 1), (0.0149, 1), (0.016, 2), (0.125, 13), (0.5, 50), (0.984, 98), (0.986, 99), (0.999, 99),
        (1.0, 99),
    ],
)  # fmt: skip
def test_percent(probability: float, shown_as: int) -> None:
    assert words.percent(probability) == shown_as


@given(st.floats(0.0, 1.0), st.floats(0.0, 1.0))
def test_percent_is_never_certain_and_keeps_the_order(one: float, other: float) -> None:
    assert 1 <= words.percent(one) <= 99
    assert (words.percent(one) <= words.percent(other)) or one > other
