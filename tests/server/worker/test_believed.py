from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import pytest

from models.types import Frame, Mark, Pdq, Provenance
from server.errors import ChildDied
from server.fetch.sources import Fetched
from server.worker import believed

CONTENT = b"\x89PNG and so on"
SHA256 = hashlib.sha256(CONTENT).hexdigest()
HEAD: dict[str, Any] = {
    "type": "fetched", "sha256": SHA256, "size": len(CONTENT), "mime": "image/png", "path": SHA256 + ".png",
    "final_url": "", "etag": None, "last_modified": None, "title": None, "extractor": "direct", "complete": True,
}  # fmt: skip


def test_what_is_true_is_believed(tmp_path: Path) -> None:
    (tmp_path / HEAD["path"]).write_bytes(CONTENT)
    found = believed.result(dict(HEAD), tmp_path)
    assert isinstance(found, Fetched)
    assert found.path == tmp_path / HEAD["path"]


def test_a_link_to_a_true_file_is_not(tmp_path: Path) -> None:
    elsewhere, folder = tmp_path / "elsewhere", tmp_path / "folder"
    elsewhere.write_bytes(CONTENT)
    folder.mkdir()
    (folder / HEAD["path"]).symlink_to(elsewhere)
    with pytest.raises(ChildDied):
        believed.result(dict(HEAD), folder)


INFO: dict[str, Any] = {
    "type": "info", "kind": "image", "mime": "image/png", "width": 1, "height": 1, "duration": 0.0, "frames": 1,
}  # fmt: skip
TOLD: dict[str, Any] = {
    "c2pa": "trusted", "signer": "A", "source_types": ["x"], "generator": None,
    "marks": [{"where": "XMP", "says": "B"}],
}  # fmt: skip


def test_where_it_comes_from_is_believed_in_known_and_short_words() -> None:
    expected = Provenance("trusted", "A", ("x",), None, (Mark("XMP", "B"),))
    assert believed.info({**INFO, "provenance": TOLD}).provenance == expected
    assert believed.info(INFO).provenance == Provenance()


@pytest.mark.parametrize(
    "told",
    [
        {**TOLD, "c2pa": "holy"}, {**TOLD, "c2pa": ["trusted"]}, {**TOLD, "signer": 1}, {**TOLD, "signer": "A\nB"},
        {**TOLD, "generator": "x" * 121}, {**TOLD, "source_types": ["x"] * 9}, {**TOLD, "marks": [{"where": "XMP"}]},
        {**TOLD, "marks": 5}, {**TOLD, "marks": ["XMP"]}, [], "trusted", {**TOLD, "source_types": [""]},
    ],
)  # fmt: skip
def test_odd_words_are_not(told: Any) -> None:
    with pytest.raises(ChildDied):
        believed.info({**INFO, "provenance": told})


@pytest.mark.parametrize(
    "changed",
    [
        {"sha256": "0" * 64}, {"size": 1}, {"mime": "text/html"}, {"path": "../x"}, {"path": "a\0"}, {"type": "info"},
        {"more": 1},
    ],
)  # fmt: skip
def test_nor_is_anything_odd(tmp_path: Path, changed: dict[str, Any]) -> None:
    (tmp_path / HEAD["path"]).write_bytes(CONTENT)
    with pytest.raises(ChildDied) as caught:
        believed.result({**HEAD, **changed}, tmp_path)
    assert caught.value.details == {"exit": "unexpected answer: result"}


@pytest.mark.parametrize(
    "changed",
    [{"width": 0}, {"height": -1}, {"frames": 1 << 63}, {"frames": 1e999}, {"duration": -1.0}, {"duration": 10**400},
     {"mime": "image/png\n"}, {"kind": "audio"}],
)  # fmt: skip
def test_nor_is_media_of_impossible_size(changed: dict[str, Any]) -> None:
    with pytest.raises(ChildDied):
        believed.info({**INFO, **changed})


FRAME: dict[str, Any] = {"type": "frame", "t": 0.0, "index": 0, "shape": [1, 1, 3]}


def test_a_hash_is_believed_when_it_is_one() -> None:
    assert believed.frame({**FRAME, "pdq": ["ab" * 32, 70]}, bytearray(3)).pdq == Pdq(b"\xab" * 32, 70)
    assert believed.frame(FRAME, bytearray(3)).pdq is None


@pytest.mark.parametrize("told", [["ab" * 31, 70], ["zz" * 32, 70], ["ab" * 32, 101], ["ab" * 32], [1, 2], "ab", 7])
def test_no_other_hash_is(told: Any) -> None:
    with pytest.raises(ChildDied):
        believed.frame({**FRAME, "pdq": told}, bytearray(3))


@pytest.mark.parametrize("changed", [{"t": 10**400}, {"index": 1e999}, {"quantiser": float("nan")}, {"shape": [1, 3]}])
def test_nor_is_an_impossible_frame(changed: dict[str, Any]) -> None:
    with pytest.raises(ChildDied):
        believed.frame({**FRAME, **changed}, bytearray(3))


def test_no_more_frames_are_taken_than_were_asked_for() -> None:
    endless = ((dict(FRAME), bytearray(3)) for _ in iter(int, 1))
    told = believed.pictures(endless, 2)
    assert [type(next(told)) for _ in range(2)] == [Frame, Frame]
    with pytest.raises(ChildDied):
        next(told)
