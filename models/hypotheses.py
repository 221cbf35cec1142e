"""What may be wrong with a picture. Each is judged by itself: detectors of one never vote another down.

A face altered in a genuine picture and a picture that a generator made as a whole leave different traces: a detector of
swaps finds the second kind *more* genuine than life (AUC .25), so its word there is no evidence at all.
"""

from __future__ import annotations

from collections.abc import Iterable

FACE_SWAP = "face_swap"  # a face was altered: swapped, re-enacted, lip-synced
SYNTHETIC = "synthetic"  # a generator made the whole picture
ALL = (FACE_SWAP, SYNTHETIC)

# How an index of pictures names generators of whole pictures (column `method`); what begins otherwise altered a face.
GENERATORS = (
    "stylegan", "progan", "biggan", "vqgan", "sd1", "sd2", "sd3", "sdxl", "stable_diffusion", "latent_diffusion", "ddpm",
    "flux", "dalle", "midjourney", "imagen", "firefly", "t2i", "diffusion", "synthetic",
)  # fmt: skip


def of_kinds(kinds: Iterable[str]) -> str:
    """What a detector of these kinds (manifest.toml) speaks for."""
    return SYNTHETIC if set(kinds) == {SYNTHETIC} else FACE_SWAP


def of_method(method: str) -> str:
    """What is wrong with a fake made by this method."""
    return SYNTHETIC if method.lower().startswith(GENERATORS) else FACE_SWAP
