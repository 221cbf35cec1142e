"""Rules for the extension's files: the console's look and words, every word in every language, nothing needless."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

import server.web
from tests.need import REPOSITORY

EXTENSION = REPOSITORY / "extension"
CONSOLE = Path(server.web.__path__[0]) / "static"
MANIFEST = json.loads((EXTENSION / "manifest.json").read_text())
COPIES = sorted(path for path in (EXTENSION / "static").iterdir() if path.name != "api.js")
OWN = sorted(path for path in EXTENSION.rglob("*.js") if path not in COPIES)
LOCALES = {path.parent.name: json.loads(path.read_text()) for path in EXTENSION.glob("_locales/*/messages.json")}


@pytest.mark.parametrize("path", COPIES, ids=lambda path: path.name)
def test_the_look_and_the_words_are_those_of_the_console(path: Path) -> None:
    same = path.read_bytes() == (CONSOLE / path.name).read_bytes()
    assert same, f"one of the two has changed: cp server/web/static/{path.name} extension/static/"


def test_what_a_copy_imports_is_there() -> None:
    """All but the API, which the extension asks through its background; there by the names that are used."""
    api = (EXTENSION / "static/api.js").read_text()
    for path in COPIES:
        for names, file in re.findall(r'import \{ ([^}]*) \} from "\./([\w.]+)"', path.read_text()):
            assert (EXTENSION / "static" / file).exists(), f"{path.name} needs {file}"
            if file == "api.js":
                assert [name for name in names.split(", ") if f"export const {name} " not in api] == [], path.name


def test_every_language_has_every_word() -> None:
    assert set(LOCALES) == {"en", "de"}
    places = {
        language: {name: sorted(re.findall(r"\$\d", entry["message"])) for name, entry in words.items()}
        for language, words in LOCALES.items()
    }
    assert places["de"] == places["en"]


def test_every_word_is_used_and_every_used_word_is_there() -> None:
    text = "\n".join(path.read_text() for path in [*OWN, *EXTENSION.rglob("*.html"), EXTENSION / "manifest.json"])
    used = set(re.findall(r'\bsay\("(\w+)"', text)) | set(re.findall(r'data-say(?:-label)?="(\w+)"', text))
    used |= set(re.findall(r"__MSG_(\w+)__", text)) | set(re.findall(r'getMessage\("(\w+)"', text))
    known = set(LOCALES["en"])
    assert used <= known
    made = {name for name in known - used if re.match(r"(problem|help|how)_", name) or f'"{name}"' in text}
    assert sorted(known - used - made) == []
    help_used = set(re.findall(r'"(\w+)"', "".join(re.findall(r"^  \w+: (\[.*\]),$", text, re.MULTILINE))))
    assert {f"help_{name}" for name in help_used} <= known


def test_no_word_claims_what_nobody_knows() -> None:
    claims = re.compile(r"\b(fake|real|proof|proves?|gefälscht|Beweis\w*|Fälschung)\b", re.IGNORECASE)
    said = [entry["message"] for words in LOCALES.values() for entry in words.values()]
    assert [text for text in said if claims.search(text)] == []


@pytest.mark.parametrize("path", OWN, ids=lambda path: str(path.relative_to(EXTENSION)))
def test_scripts_parse_no_data_and_load_nothing_from_elsewhere(path: Path) -> None:
    text = path.read_text()
    for forbidden in ("innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval(", "new Function"):
        assert forbidden not in text
    assert re.findall(r"""(?:import|from)\s*\(?["'](?:https?:)?//""", text) == []


def test_scripts_in_pages_know_neither_token_nor_storage() -> None:
    for path in (EXTENSION / "content").iterdir():
        text = path.read_text()
        for forbidden in ("token", "storage", "Authorization", "indexedDB", "onMessage"):
            assert forbidden not in text, path.name


def test_permissions_are_few_and_sites_are_optional() -> None:
    assert sorted(MANIFEST["permissions"]) == [
        "activeTab", "contextMenus", "menus", "scripting", "sidePanel", "storage",
    ]  # fmt: skip
    assert MANIFEST["optional_host_permissions"] == ["<all_urls>"]
    assert not {"host_permissions", "content_scripts", "externally_connectable", "web_accessible_resources"} & set(
        MANIFEST
    )


def test_version_is_that_of_the_server() -> None:
    assert f'version = "{MANIFEST["version"]}"' in (REPOSITORY / "pyproject.toml").read_text()
