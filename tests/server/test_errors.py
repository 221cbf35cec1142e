"""The tree of errors: each has a code of its own and a sentence a person can act on."""

from __future__ import annotations

import importlib
import pickle
import pkgutil

import pytest

import server
from server import errors
from server.errors import UnmaskError

CLASSES = errors._tree(UnmaskError)
named = pytest.mark.parametrize("kind", CLASSES, ids=lambda kind: kind.__name__)


def test_codes_are_unique() -> None:
    codes = [kind.code for kind in CLASSES]
    assert sorted(codes) == sorted(set(codes))
    assert len(errors.BY_CODE) == len(CLASSES)


def test_the_whole_tree_is_in_one_file() -> None:
    """An error declared elsewhere would be missing from BY_CODE, and its code lost between processes."""
    for module in pkgutil.iter_modules(server.__path__, "server."):
        if not module.ispkg:
            importlib.import_module(module.name)
    assert [kind for kind in errors._tree(UnmaskError) if kind.__module__ != "server.errors"] == []


@named
def test_each_says_what_happened(kind: type[UnmaskError]) -> None:
    error = kind()
    assert "code" in vars(kind), "a code that is inherited names two errors"
    assert error.code.isidentifier()
    assert error.code == error.code.lower()
    assert 400 <= error.status < 600
    assert error.message == str(error) == kind.message
    assert error.message[0].isupper()
    assert error.message.endswith(".")
    assert len(error.message) > 15


@named
def test_each_survives_a_process_boundary(kind: type[UnmaskError]) -> None:
    error = kind("What happened.", details={"reason": "loopback"})
    again = errors.from_code(error.code, error.message, error.details)
    assert type(again) is kind
    assert (again.message, again.details) == ("What happened.", {"reason": "loopback"})
    pickled = pickle.loads(pickle.dumps(error))
    assert (type(pickled), pickled.message, pickled.details) == (kind, error.message, error.details)


@named
def test_each_is_drawn(kind: type[UnmaskError]) -> None:
    assert errors.__doc__ is not None
    assert kind.__name__ in errors.__doc__ or kind.code in errors.__doc__


def test_an_unknown_code_is_an_internal_error() -> None:
    error = errors.from_code("never_heard_of", "Something.", None)
    assert type(error) is UnmaskError
    assert (error.code, error.status, error.message, error.details) == ("internal", 500, "Something.", {})


def test_from_code_without_a_message_has_the_usual_one() -> None:
    assert errors.from_code("too_large").message == errors.TooLarge.message


def test_details_are_a_copy() -> None:
    details = {"limit": 1}
    error = errors.TooLarge(details=details)
    details["limit"] = 2
    assert error.details == {"limit": 1}
    assert errors.TooLarge().details == {}
    assert errors.QueueFull(retry_after=30).retry_after == 30


@pytest.mark.parametrize(
    ("kind", "parent"),
    [
        (errors.TokenExpired, errors.Denied),
        (errors.AddressRefused, errors.FetchError),
        (errors.DatabaseBusy, errors.Busy),
        (errors.MediaGone, errors.BadRequest),
    ],
)
def test_kin_can_be_caught_together(kind: type[UnmaskError], parent: type[UnmaskError]) -> None:
    assert issubclass(kind, parent)
