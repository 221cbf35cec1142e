"""What is installed, as the web process and the look-ups need to know it: told without loading a model."""

from __future__ import annotations

from models import calibrate, registry
from models import pipeline as models_pipeline
from server.settings import Settings


def pipeline(settings: Settings) -> str:
    """The version that new verdicts are made with; older ones are stale."""
    return models_pipeline.version(calibrate.load(settings.calibration), registry.chosen(None), settings.face_finder)
