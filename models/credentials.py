"""Content Credentials (C2PA): a signed statement, inside the file, of how it was made. Read without a network.

https://spec.c2pa.org. The library's own defaults fetch what a file tells them to fetch: here nothing is.
"""

from __future__ import annotations

import json
import mmap
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import c2pa

from models.bounds import LONGEST_NAME, MOST_TOLD
from models.types import Credentials, Provenance

_EMBEDDED: Final = b"jumdc2pa"  # begins a manifest store: only files that hold it cost the library's time
_REMOTE: Final = b"dcterms:provenance"  # XMP that names an address for it
_REMOTE_ERROR: Final = "Remote"
_STATES: Final[Mapping[str | None, Credentials]] = {"Trusted": "trusted", "Valid": "valid_unknown_signer"}
_OFFLINE: Final[dict[str, Any]] = {
    "verify": {"remote_manifest_fetch": False, "ocsp_fetch": False, "verify_trust": True},
    "core": {"allowed_network_hosts": []},
}


def read(path: Path, anchors: str | None = None) -> Provenance:
    """`anchors`: certificates (PEM) of those whose signers are trusted; without, no signer is."""
    if not _mentioned(path):
        return Provenance("absent")
    settings = {**_OFFLINE, **({"trust": {"trust_anchors": anchors}} if anchors else {})}
    try:
        with c2pa.Context(c2pa.Settings.from_dict(settings)) as context, path.open("rb") as file:
            reader = c2pa.Reader.try_create(None, file, None, context)
            if reader is None:
                return Provenance("absent")
            with reader:
                return _told(reader.get_validation_state(), json.loads(reader.json()))
    except c2pa.C2paError.NotSupported:
        return Provenance("absent")  # a container that cannot hold any, in which the words stand by chance
    except (ValueError, RecursionError, AttributeError, TypeError):
        return Provenance("invalid")  # no JSON, one nested without end, or one of other shapes than the standard's
    except c2pa.C2paError as error:
        return Provenance("remote_only" if str(error).startswith(_REMOTE_ERROR) else "invalid")


def name(value: object) -> str | None:
    """A name from a file, fit to be shown: printable, in one line, not too long."""
    if not isinstance(value, str):
        return None
    printable = "".join(letter if letter.isprintable() else " " for letter in value[: 4 * LONGEST_NAME])
    return " ".join(printable.split())[:LONGEST_NAME].strip() or None


def _mentioned(path: Path) -> bool:
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
        return content.find(_EMBEDDED) >= 0 or content.find(_REMOTE) >= 0


def _told(state: str | None, store: Mapping[str, Any]) -> Provenance:
    """Of the newest manifest only: what went into the picture may have been signed by somebody else."""
    manifest = store.get("manifests", {}).get(store.get("active_manifest"), {})
    signed = manifest.get("signature_info") or {}
    generators = [made.get("name") for made in manifest.get("claim_generator_info") or [] if isinstance(made, dict)]
    return Provenance(
        _STATES.get(state, "invalid"),
        signer=name(signed.get("issuer")) or name(signed.get("common_name")),
        source_types=tuple(dict.fromkeys(_source_types(manifest.get("assertions"))))[:MOST_TOLD],
        generator=next(filter(None, map(name, generators)), None) or name(manifest.get("claim_generator")),
    )


def _source_types(value: object) -> Iterator[str]:
    """The last part of each digital source type's address, wherever an assertion states one."""
    if isinstance(value, dict):
        for key, inner in value.items():
            if key.rpartition(":")[2].lower() in ("digitalsourcetype", "digital_source_type") and isinstance(
                inner, str
            ):
                if (told := name(inner.rpartition("/")[2])) is not None:
                    yield told
            else:
                yield from _source_types(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _source_types(inner)
