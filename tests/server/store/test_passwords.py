"""Passwords: hashed slowly, never told apart by what is wrong with them."""

from __future__ import annotations

import pytest

from server.errors import BadRequest
from server.store import passwords


def test_a_password_matches_its_hash_alone() -> None:
    stored = passwords.hashed("correct horse")
    assert "correct horse" not in stored
    assert passwords.matches(stored, "correct horse")
    assert not passwords.matches(stored, "correct horsf")
    assert stored != passwords.hashed("correct horse"), "each has a salt of its own"


def test_a_short_password_is_refused() -> None:
    with pytest.raises(BadRequest, match=str(passwords.MIN_PASSWORD)):
        passwords.hashed("x" * (passwords.MIN_PASSWORD - 1))


@pytest.mark.parametrize("stored", ["", "spent", "$argon2id$broken"])
def test_what_is_no_hash_matches_nothing(stored: str) -> None:
    assert not passwords.matches(stored, "correct horse")


def test_nobody_costs_as_much_as_somebody() -> None:
    assert not passwords.is_weak(passwords.NOBODY), "the same settings, or names could be told apart by time"
    assert not passwords.matches(passwords.NOBODY, "correct horse")
