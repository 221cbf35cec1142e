"""What may be wrong with a picture. Each is judged by itself: detectors of one never vote another down.

A face altered in a genuine picture and a picture that a generator made as a whole leave different traces: a detector of
swaps finds the second kind *more* genuine than life (AUC .25), so its word there is no evidence at all.
"""

from __future__ import annotations

from collections.abc import Iterable

FACE_SWAP = "face_swap"  # a face was altered: swapped, re-enacted, lip-synced
SYNTHETIC = "synthetic"  # a diffusion model made the whole picture
ALL = (FACE_SWAP, SYNTHETIC)
SOUGHT = {FACE_SWAP: "altered faces", SYNTHETIC: "pictures made whole"}  # in words

# How an index of pictures names what made its fakes (column `method`). Faces drawn by a GAN are a question that no
# detector speaks for: learned beside diffusion, they took unseen diffusion generators from AUC .90 to .77.
GAN = "gan"
GANS = ("stylegan", "progan", "biggan", "vqgan", "stargan")
GENERATORS = (
    "sd1", "sd2", "sd3", "sdxl", "stable_diffusion", "latent_diffusion", "ddpm",
    "flux", "dalle", "midjourney", "imagen", "firefly", "t2i", "diffusion", "synthetic",
)  # fmt: skip


def of_kinds(kinds: Iterable[str]) -> str:
    """What a detector of these kinds (manifest.toml) speaks for."""
    return SYNTHETIC if set(kinds) == {SYNTHETIC} else FACE_SWAP


def of_method(method: str) -> str:
    """What is wrong with a fake made by this method."""
    name = method.lower()
    if name.startswith(GANS):
        return GAN
    return SYNTHETIC if name.startswith(GENERATORS) else FACE_SWAP
