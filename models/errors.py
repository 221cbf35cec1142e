"""What can be wrong with a file of pixels. Each error has a stable code and a sentence a person can act on.

    ModelsError
    ├── MediaError               the file
    │   ├── EmptyFile            empty_file
    │   ├── UnsupportedMedia     unsupported_media
    │   ├── CorruptMedia         corrupt_media
    │   ├── TooManyPixels        too_many_pixels
    │   └── TooLong              too_long
    └── WeightsError             weights_error: missing, altered or of another architecture
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
