"""The pipeline's version: code, weights and calibration in one short string. Standard library only."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from models import manifest, registry
from models.calibrate import Calibration, written

# Raise it with any change to code that can change a score: decoding, finding, cropping, gates, combining.
CODE_VERSION = 3


def version(calibration: Calibration, detectors: Sequence[str], finder: str = registry.DEFAULT_FINDER) -> str:
    """A new one makes stored verdicts stale."""
    entries = manifest.read()
    parts = [written(calibration)]
    parts += [f"{name}:{entries[name].digest if name in entries else 'none'}" for name in sorted(detectors)]
    parts += [f"finder:{finder}"] if finder != registry.DEFAULT_FINDER else []
    return f"p{CODE_VERSION}-" + hashlib.sha256("\n".join(parts).encode()).hexdigest()[:10]
