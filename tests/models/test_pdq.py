"""PDQ: the reference's bits, and what changes them little, much, and not at all."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
import skimage
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from models import pdq
from models.types import Frame, Glance, Rgb
from tests.clips import portrait

PICTURES = Path(skimage.__file__).parent / "data"
NEAR = 31
# Of pdqhash 0.2.8, the reference's own C++, for the picture scaled to 512 x 512 by Pillow's LANCZOS.
REFERENCE = {
    "astronaut.png": ("2d6b1af3a956c529e79ca3d2526fa834d4196c81cedd04de0a26b855fc99b724", 100),
    "brick.png": ("bed7058ba2005a4b071bb8a4cc6278789fbc02cfcd30d1d73fa71673c67945d2", 100),
    "camera.png": ("dc9c9d3b746978f888f40ce6e5c3f70f7266623e8d989cb99f21f2010841e1c7", 100),
    "cell.png": ("52962e6bad69529352c92d56add65269932b2c96d36955692a96aa96d569516b", 100),
    "chelsea.png": ("5fab5331f01da156898e2b7629a5d3438412cdbd23f48942464526317db33ffd", 100),
    "clock_motion.png": ("26ccbccc933373334cc4f6782cc94cceb326f3194c932666b34cd99d25337664", 35),
    "coffee.png": ("88629e779a663698f9a3b8668026727c21a679f61eb6e1f8c79b27e27c0299e0", 100),
    "moon.png": ("131645cde366d981e1e371b264d8b25b9e4d13771d8c4f366d946ca57133d0c9", 83),
    "page.png": ("9e5326f62693636b196ccccdcc91d88c7925c1297984dc25a3fb9ccc4616a67b", 100),
    "rocket.jpg": ("8793786c8f9370e4af1b40e43f1bc0e03f1cc2e33d2483537cac821b6cecf376", 100),
    "text.png": ("f46761c0131bd9936bb5cde6660a0a12430c6c1d25d9fe47cbe2a6b89d6e6786", 100),
    "motorcycle_left.png": ("e0c9cfdb78d318968a18ec54e94ba55937565b67508a0b87ad64fceb5631c470", 100),
}


def distance(one: Rgb, other: Rgb) -> int:
    first, second = (int.from_bytes(pdq.of(rgb).bits) for rgb in (one, other))
    return (first ^ second).bit_count()


@pytest.mark.parametrize("name", [name for name in REFERENCE if (PICTURES / name).exists()])
def test_bits_and_quality_are_the_references(name: str) -> None:
    found = pdq.of(np.asarray(Image.open(PICTURES / name).convert("RGB")))
    assert (found.bits.hex(), found.quality) == REFERENCE[name]


def saved(rgb: Rgb, quality: int) -> Rgb:
    out = io.BytesIO()
    Image.fromarray(rgb).save(out, "JPEG", quality=quality)
    return np.asarray(Image.open(out))


def scaled(rgb: Rgb, share: float) -> Rgb:
    size = (round(rgb.shape[1] * share), round(rgb.shape[0] * share))
    return np.asarray(Image.fromarray(rgb).resize(size, Image.Resampling.BICUBIC))


@pytest.mark.parametrize("quality", [20, 50, 90])
@pytest.mark.parametrize("share", [0.3, 1.0, 2.0])
def test_saved_again_and_scaled_it_stays_near(quality: int, share: float) -> None:
    assert distance(portrait(), saved(scaled(portrait(), share), quality)) <= 10


def test_others_are_far() -> None:
    rng = np.random.default_rng(0)
    rough = rng.integers(0, 256, (8, 8, 3), np.uint8)
    assert distance(portrait(), np.asarray(Image.fromarray(rough).resize((512, 512)))) > 90
    assert distance(portrait(), portrait()[:, ::-1]) > 90, "a mirrored picture is another one"


@pytest.mark.parametrize("grey", [0, 128, 255])
def test_a_blank_picture_has_no_quality(grey: int) -> None:
    assert pdq.of(np.full((300, 400, 3), grey, np.uint8)).quality == 0


@settings(max_examples=30, deadline=None)
@given(st.integers(1, 80), st.integers(1, 80), st.integers(0, 2**32 - 1))
def test_any_picture_has_one(height: int, width: int, seed: int) -> None:
    rgb = np.random.default_rng(seed).integers(0, 256, (height, width, 3), np.uint8)
    found = pdq.of(rgb)
    assert len(found.bits) == pdq.BYTES
    assert int.from_bytes(found.bits).bit_count() <= 128, "half the waves lie above the median"
    assert 0 <= found.quality <= pdq.BEST
    assert found == pdq.of(rgb.copy())


@settings(max_examples=20, deadline=None)
@given(st.floats(0.5, 1.0), st.integers(0, 40))
def test_light_and_contrast_hardly_change_it(contrast: float, light: int) -> None:
    other = (portrait() * contrast * 0.8 + light).astype(np.uint8)
    assert distance(portrait(), other) <= NEAR


def test_each_second_is_hashed_once() -> None:
    rgb = portrait()
    times = [0.0, 0.4, 0.9, 1.0, 1.7, 4.2, 4.9]
    pictures: list[Frame | Glance] = [Frame(rgb, t, 0) for t in times]
    pictures.insert(3, Glance(rgb[..., 0], 0.95))
    told = [picture.t for picture in pdq.of_each_second(pictures) if isinstance(picture, Frame) and picture.pdq]
    assert told == [0.0, 1.0, 4.2]
