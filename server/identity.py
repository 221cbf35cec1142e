"""Who is who: the keys of a web address and the hash of a file.

A URL has two keys. `exact` stands for the very address (without fragment and user name); `canonical` drops known
tracking parameters, orders the rest and gives a platform's many addresses of one post the same key. The rules lie
in url_rules.json, which the browser extension reads too; tests/server/url_vectors.json holds both to the same answers.
"""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import can_ada

from server.errors import NotAUrl, UnsupportedScheme

_FORBIDDEN = re.compile(r"[\x00-\x20\x7f-\xa0\\]")  # browsers drop or rewrite these, so two readers may disagree


@dataclass(frozen=True)
class UrlKeys:
    fetch_url: str  # what is fetched: the WHATWG serialisation, so checker and fetcher read the same host
    exact: bytes  # sha256
    canonical: bytes  # sha256
    volatile: bool  # carries a token that expires: its content is soon to be asked for again
    platform: bool  # a post of a known site: extracted, not downloaded


@dataclass(frozen=True)
class _Platform:
    name: str
    path: re.Pattern[str]
    parameter: str | None
    id: re.Pattern[str] | None
    unless: tuple[str, ...]

    def key(self, path: str, pairs: list[str]) -> str | None:
        found = self.path.match(path)
        if found is None or any(pair.partition("=")[0] in self.unless for pair in pairs):
            return None
        if self.parameter is None or self.id is None:
            return f"{self.name}:{found[1]}"
        start = self.parameter + "="
        value = next((pair[len(start) :] for pair in pairs if pair.startswith(start)), "")
        return f"{self.name}:{value}" if self.id.match(value) else None


class _Rules:
    def __init__(self, raw: dict[str, Any]) -> None:
        self.max_length: int = raw["max_length"]
        self.schemes = frozenset(raw["schemes"])
        self.tracking = (frozenset(raw["tracking"]["names"]), tuple(raw["tracking"]["prefixes"]))
        self.volatile = (frozenset(raw["volatile"]["names"]), tuple(raw["volatile"]["prefixes"]))
        self.platforms: dict[str, list[_Platform]] = {}
        for rule in raw["platforms"]:
            platform = _Platform(
                rule["name"],
                re.compile(rule["path"], re.ASCII),
                rule.get("parameter"),
                re.compile(rule["id"], re.ASCII) if "id" in rule else None,
                tuple(rule.get("unless", ())),
            )
            for host in rule["hosts"]:
                self.platforms.setdefault(host, []).append(platform)


@cache
def _load() -> _Rules:
    return _Rules(json.loads(Path(__file__).with_name("url_rules.json").read_text("utf-8")))


def _named(name: str, table: tuple[frozenset[str], tuple[str, ...]]) -> bool:
    return name in table[0] or name.startswith(table[1])


def _parse(url: str, rules: _Rules) -> Any:
    if len(url) > rules.max_length:
        raise NotAUrl(f"The address is longer than {rules.max_length} characters.", details={"reason": "too_long"})
    if _FORBIDDEN.search(url):
        raise NotAUrl(
            "The address contains a space, a backslash or a control character.", details={"reason": "characters"}
        )
    try:
        parsed = can_ada.parse(url)
    except (ValueError, TypeError):  # TypeError: half a surrogate pair, which JSON can carry and which is no text
        raise NotAUrl(details={"reason": "unreadable"}) from None
    if parsed.protocol not in rules.schemes:
        raise UnsupportedScheme(details={"scheme": parsed.protocol.rstrip(":")})
    return parsed


def _canonical(parsed: Any, rules: _Rules) -> tuple[str, bool, bool]:
    """(canonical form, volatile, platform)"""
    host, path, search = parsed.hostname.rstrip("."), parsed.pathname, parsed.search
    pairs = [pair for pair in search[1:].split("&") if pair] if search else []
    for platform in rules.platforms.get(host, ()):
        key = platform.key(path, pairs)
        if key is not None:
            return key, False, True
    names = [pair.partition("=")[0].lower() for pair in pairs]
    kept = [(name, pair) for name, pair in zip(names, pairs, strict=True) if not _named(name, rules.tracking)]
    kept.sort(key=lambda item: item[0])  # by name only: the order of equal names carries meaning
    query = "?" + "&".join(pair for _, pair in kept) if kept else ""
    port = ":" + parsed.port if parsed.port else ""
    volatile = any(_named(name, rules.volatile) for name in names)
    return f"{parsed.protocol}//{host}{port}{path}{query}", volatile, False


def _exact(parsed: Any) -> str:
    return f"{parsed.protocol}//{parsed.host}{parsed.pathname}{parsed.search}"


def exact_url(url: str) -> str:
    """The address as every part of the service reads it: no fragment, no user name, numeric hosts written as such."""
    return _exact(_parse(url, _load()))


def canonical_url(url: str) -> str:
    """One spelling for the addresses of one thing; `youtube:<id>` and the like for posts of known sites."""
    rules = _load()
    return _canonical(_parse(url, rules), rules)[0]


def keys(url: str) -> UrlKeys:
    rules = _load()
    parsed = _parse(url, rules)
    fetch_url = _exact(parsed)
    canonical, volatile, platform = _canonical(parsed, rules)
    sha256 = hashlib.sha256
    return UrlKeys(
        fetch_url, sha256(fetch_url.encode()).digest(), sha256(canonical.encode()).digest(), volatile, platform
    )


def sha256_file(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
