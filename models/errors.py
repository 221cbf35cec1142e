"""What can be wrong with a file of pixels, or with the models. Each error has a stable code and a sentence to act on.

ModelsError
├── MediaError               the file
│   ├── EmptyFile            empty_file
│   ├── UnsupportedMedia     unsupported_media
│   ├── CorruptMedia         corrupt_media
│   ├── TooManyPixels        too_many_pixels
│   └── TooLong              too_long
├── WeightsError             weights_error: missing, altered or of another architecture
├── CalibrationError         calibration_error: missing or not understood
├── DatasetError             dataset_error: labelled media that cannot be used, and what it would need
├── UnknownDetector          unknown_detector: the message lists the choices
├── UnknownFinder            unknown_finder: the message lists the choices
└── NotInstalled             detector_not_installed: the message says what brings its weights
"""

from __future__ import annotations


class ModelsError(Exception):
    code = "models_error"


class MediaError(ModelsError):
    code = "media_error"


class EmptyFile(MediaError):
    code = "empty_file"


class UnsupportedMedia(MediaError):
    code = "unsupported_media"


class CorruptMedia(MediaError):
    code = "corrupt_media"


class TooManyPixels(MediaError):
    code = "too_many_pixels"


class TooLong(MediaError):
    code = "too_long"


class WeightsError(ModelsError):
    code = "weights_error"


class CalibrationError(ModelsError):
    code = "calibration_error"


class DatasetError(ModelsError):
    code = "dataset_error"


class UnknownDetector(ModelsError):
    code = "unknown_detector"


class UnknownFinder(ModelsError):
    code = "unknown_finder"


class NotInstalled(ModelsError):
    code = "detector_not_installed"
