from __future__ import annotations

from pathlib import Path

import pytest

from models.errors import DatasetError
from models.jsonlines import JsonLines


def test_rows_are_there_again_without_a_torn_last_line(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    lines = JsonLines(path)
    lines.add({"a": 1})
    lines.add({"a": "é"})
    whole = path.read_bytes()
    path.write_bytes(whole + '{"a": "é'.encode()[:-1])
    assert JsonLines(path).rows == [{"a": 1}, {"a": "é"}]
    assert path.read_bytes() == whole


@pytest.mark.parametrize("text", ["no json\n", "3\n"])
def test_a_file_of_another_kind_is_named(tmp_path: Path, text: str) -> None:
    (tmp_path / "rows.jsonl").write_text(text)
    with pytest.raises(DatasetError, match=r"rows\.jsonl is not what an earlier run wrote"):
        JsonLines(tmp_path / "rows.jsonl")
