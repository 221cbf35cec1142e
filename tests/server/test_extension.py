from __future__ import annotations

import io
import zipfile

import pytest

from server import extension


def test_the_package_holds_every_file_and_nothing_else() -> None:
    content = extension.packed()
    assert content is not None
    with zipfile.ZipFile(io.BytesIO(content)) as package:
        there = {str(path.relative_to(extension.FOLDER)) for path in extension.FOLDER.rglob("*") if path.is_file()}
        assert set(package.namelist()) == there
        assert "manifest.json" in there
        assert package.read("manifest.json") == (extension.FOLDER / "manifest.json").read_bytes()


def test_the_same_files_give_the_same_bytes() -> None:
    first = extension.packed()
    extension.packed.cache_clear()
    assert extension.packed() == first


def test_without_the_folder_there_is_no_package(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(extension, "FOLDER", extension.FOLDER / "none")
    extension.packed.cache_clear()
    assert extension.packed() is None
    extension.packed.cache_clear()
