"""What a person may choose for a check. Pure, so that the command line and the pages know it without a database."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import Any

PRIORITIES = {"interactive": 0, "bulk": 5}
SEQUENCE_LENGTHS = (10, 20, 40, 60, 80, 100)
DEFAULT_SEQUENCE_LENGTH = 60


@dataclass(frozen=True)
class Options:
    """What changes an analysis. Anything but the default is a variant of its own in the cache."""

    sequence_length: int = DEFAULT_SEQUENCE_LENGTH
    detectors: tuple[str, ...] | None = None  # None: all that are installed

    @property
    def variant(self) -> str:
        if self == DEFAULT:
            return ""
        names = sorted(set(self.detectors)) if self.detectors is not None else None
        return hashlib.sha256(json.dumps([self.sequence_length, names]).encode()).hexdigest()[:16]

    def to_json(self) -> dict[str, Any]:
        return {
            "sequence_length": self.sequence_length,
            "detectors": list(self.detectors) if self.detectors is not None else None,
        }

    @classmethod
    def from_json(cls, stored: dict[str, Any]) -> Options:
        names = stored.get("detectors")
        return cls(stored["sequence_length"], tuple(names) if names is not None else None)


DEFAULT = Options()
