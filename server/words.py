"""What people read on the command line: the labels and the percentages of the pages, where everything else is said."""

from __future__ import annotations

import math

LABELS = {
    "manipulation_likely": "Manipulation likely",
    "inconclusive": "Inconclusive",
    "no_evidence_found": "No sign of manipulation found",
    "not_assessable": "Could not be assessed",
    "disclosed_synthetic": "Declared as AI-made",
    "confirmed_manipulated": "Confirmed manipulated, by a reviewer",
    "confirmed_authentic": "Confirmed authentic, by a reviewer",
    "misleading_context": "Misleading context, by a reviewer",
    "undecided": "Reviewed, undecided",
}  # test_words.py holds static/words.js to these


def percent(probability: float) -> int:
    """1-99: never certain, in either direction. Halves go up, as they do in the pages."""
    return min(99, max(1, math.floor(probability * 100 + 0.5)))
