"""The picture a page names as its own (og:image and its like), for pages that show a picture and no video."""

from __future__ import annotations

import json
from html.parser import HTMLParser
from typing import Any
from urllib.parse import urljoin

MOST_PICTURES = 4
_PROPERTIES = ("og:image:secure_url", "og:image:url", "og:image", "twitter:image", "twitter:image:src", "image")
_JSON_LD = "application/ld+json"
_DEEPEST = 8


def pictures(html: str, page_url: str) -> list[str]:
    """Their addresses, the likeliest first, without repeats."""
    reader = _Reader()
    reader.feed(html)
    base = _joined(page_url, reader.base) or page_url
    found = [address for name in _PROPERTIES for address in reader.named.get(name, ())] + reader.others
    joined = (_joined(base, address.strip()) for address in found if address.strip())
    return list(dict.fromkeys(address for address in joined if address))[:MOST_PICTURES]


def _joined(base: str, address: str) -> str | None:
    try:
        return urljoin(base, address)
    except ValueError:  # brackets that hold no address
        return None


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.named: dict[str, list[str]] = {}
        self.others: list[str] = []
        self.base = ""
        self._json = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "meta":
            name = given.get("property") or given.get("name") or given.get("itemprop") or ""
            self.named.setdefault(name.lower(), []).append(given.get("content", ""))
        elif tag == "link" and given.get("rel", "").lower() == "image_src":
            self.others.append(given.get("href", ""))
        elif tag == "base" and not self.base:
            self.base = given.get("href", "")
        self._json = tag == "script" and given.get("type", "").lower() == _JSON_LD

    def handle_endtag(self, tag: str) -> None:
        self._json = False

    def handle_data(self, data: str) -> None:
        if self._json:
            try:
                self.others += _images(json.loads(data), _DEEPEST)
            except (ValueError, RecursionError):
                return


def _images(said: Any, deeper: int) -> list[str]:
    """https://schema.org: `image` of anything, `contentUrl` of an ImageObject."""
    if not deeper:
        return []
    if isinstance(said, list):
        return [address for each in said for address in _images(each, deeper - 1)]
    if not isinstance(said, dict):
        return []
    image = said.get("image")
    found = [each for each in (image if isinstance(image, list) else [image]) if isinstance(each, str)]
    if said.get("@type") == "ImageObject":
        found += [said[name] for name in ("contentUrl", "url") if isinstance(said.get(name), str)]
    return found + [address for each in said.values() for address in _images(each, deeper - 1)]
