from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.errors import BadRequest, NotAUrl
from server.identity import canonical_url, exact_url, keys, sha256_file

VECTORS = json.loads(Path(__file__).with_name("url_vectors.json").read_text("utf-8"))


@pytest.mark.parametrize("vector", VECTORS["accepted"], ids=lambda vector: vector["url"])
def test_accepted(vector: dict[str, Any]) -> None:
    canonical = vector.get("canonical", vector["exact"])
    assert exact_url(vector["url"]) == vector["exact"]
    assert canonical_url(vector["url"]) == canonical
    found = keys(vector["url"])
    assert found.fetch_url == vector["exact"]
    assert found.exact == hashlib.sha256(vector["exact"].encode()).digest()
    assert found.canonical == hashlib.sha256(canonical.encode()).digest()
    assert found.volatile is vector.get("volatile", False)
    assert found.platform is vector.get("platform", False)


@pytest.mark.parametrize("vector", VECTORS["refused"], ids=lambda vector: repr(vector["url"]))
def test_refused(vector: dict[str, str]) -> None:
    with pytest.raises(BadRequest) as caught:
        keys(vector["url"])
    assert caught.value.code == vector["code"]


def test_the_length_is_bounded() -> None:
    start = "https://example.com/"
    keys(start + "a" * (2048 - len(start)))
    with pytest.raises(NotAUrl, match="2048"):
        keys(start + "a" * (2049 - len(start)))


@given(st.text(max_size=60), st.lists(st.tuples(st.text(max_size=8), st.text(max_size=8)), max_size=4))
def test_keys_of_keys_stay_the_same(path: str, query: list[tuple[str, str]]) -> None:
    url = f"https://example.com/{path}?" + "&".join(f"{name}={value}" for name, value in query)
    try:
        first = keys(url)
    except BadRequest:
        return
    again = keys(first.fetch_url)
    assert again == first
    assert canonical_url(canonical_url(url)) == canonical_url(url)


def test_the_hash_of_a_file(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"abc")
    assert sha256_file(tmp_path / "a") == hashlib.sha256(b"abc").hexdigest()


def test_half_a_surrogate_pair_is_no_address() -> None:
    with pytest.raises(NotAUrl):
        keys("https://example.org/\ud800")
