"""What people read: nothing is left without words, and no word claims more than is known."""

from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server import verdict, words

CLAIMS = re.compile(r"\b(fake|fakes|faked|real|really|proof|proves?|proven)\b", re.IGNORECASE)


def shown(label: str = "manipulation_likely", kind: str = "video", **coverage: Any) -> dict[str, Any]:
    judged = label not in ("not_assessable",)
    return {
        "label": label,
        "probability": 0.91 if judged else None,
        "interval": [0.82, 0.96] if judged else None,
        "media": {"kind": kind},
        "coverage": {"faces": 58, "tracks": 1, "frames": 60, "of_frames": 860, "seconds": 28.66, **coverage},
    }


@pytest.mark.parametrize(
    ("table", "vocabulary"),
    [
        (words.LABELS, verdict.LABELS),
        (words.REASONS, verdict.REASONS),
        (words.STATES, verdict.ACTIVE_STATES + verdict.FINAL_STATES),
    ],
    ids=["labels", "reasons", "states"],
)
def test_everything_has_words_and_nothing_else(table: dict[str, str], vocabulary: tuple[str, ...]) -> None:
    assert sorted(table) == sorted(vocabulary)
    assert all(text.strip() == text != "" for text in table.values())


def test_a_reason_is_a_sentence() -> None:
    assert [name for name, text in words.REASONS.items() if not text.endswith(".") or "{" in text] == []


def test_no_word_claims_what_nobody_knows() -> None:
    said = [*words.LABELS.values(), *words.REASONS.values(), *words.STATES.values()]
    said += [words.sentence(shown(label, kind)) for label in verdict.LABELS for kind in ("image", "video")]
    assert [text for text in said if CLAIMS.search(text)] == []
    assert CLAIMS.search("This is Fake."), "the test itself must see such a word"


@pytest.mark.parametrize(
    ("probability", "shown_as"),
    [(0.0, 1), (0.004, 1), (0.0149, 1), (0.016, 2), (0.5, 50), (0.984, 98), (0.986, 99), (0.999, 99), (1.0, 99)],
)
def test_percent(probability: float, shown_as: int) -> None:
    assert words.percent(probability) == shown_as


@given(st.floats(0.0, 1.0), st.floats(0.0, 1.0))
def test_percent_is_never_certain_and_keeps_the_order(one: float, other: float) -> None:
    assert 1 <= words.percent(one) <= 99
    assert (words.percent(one) <= words.percent(other)) or one > other


def test_sentence_of_a_video() -> None:
    assert words.sentence(shown()) == (
        "Of material that scores like this, 91 in 100 was manipulated (82-96), where half the material is. "
        "Seen: 58 faces of one person in 60 of 860 frames, 28.7 s."
    )


def test_sentence_of_an_image() -> None:
    assert words.sentence(shown("no_evidence_found", "image", faces=2)) == (
        "Looks like untouched material this check knows. Seen: 2 faces."
    )


@pytest.mark.parametrize(
    ("faces", "tracks", "said"),
    [(1, 1, "1 face of one person in"), (2, 1, "2 faces of one person in"), (2, 2, "2 faces of 2 people in")],
)
def test_one_is_singular(faces: int, tracks: int, said: str) -> None:
    assert said in words.sentence(shown(faces=faces, tracks=tracks))


def test_one_face_in_an_image_is_singular() -> None:
    assert words.sentence(shown(kind="image", faces=1)).endswith("Seen: 1 face.")


@pytest.mark.parametrize("label", ["inconclusive", "not_assessable"])
def test_not_enough_to_say(label: str) -> None:
    assert words.sentence(shown(label, faces=0, tracks=0)) == "Not enough to say."


@pytest.mark.parametrize("label", sorted(set(verdict.HUMAN_LABELS)))
def test_a_reviewers_label_needs_no_number(label: str) -> None:
    assert words.sentence(shown(label, "image")) == "Seen: 58 faces."
