from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from models import forensics
from models.types import MediaInfo, Rgb


def saved(rgb: Rgb, quality: int) -> Rgb:
    buffer = io.BytesIO()
    Image.fromarray(rgb).save(buffer, "JPEG", quality=quality)
    return np.asarray(Image.open(buffer), np.uint8)


def still(rgb: Rgb) -> MediaInfo:
    return MediaInfo("image", "image/png", rgb.shape[1], rgb.shape[0], 0.0, 1)


def rough(sigma: float, side: int = 256) -> Rgb:
    """A smooth slope with noise of that standard deviation, grey."""
    slope = np.linspace(60, 180, side)[None, :, None] + np.zeros((side, 1, 3))
    grain = np.random.default_rng(0).normal(0, sigma, (side, side, 1))
    return np.clip(slope + grain, 0, 255).round().astype(np.uint8)


PASTED = (slice(64, 192), slice(128, 256))  # on the grid of JPEG's blocks


def inside_to_outside(values: np.ndarray, part: tuple[slice, slice]) -> float:
    outside = np.ones(values.shape, bool)
    outside[part] = False
    return float(values[part].mean() / values[outside].mean())


def test_a_part_saved_at_another_quality_stands_out_and_nothing_else_does(portrait: Rgb) -> None:
    whole = saved(portrait, 90)
    pasted = whole.copy()
    pasted[PASTED] = saved(portrait, 60)[PASTED]
    before = inside_to_outside(forensics.error_level(whole), PASTED)
    assert inside_to_outside(forensics.error_level(pasted), PASTED) > 1.5 * before
    assert forensics.error_level(whole).mean() < forensics.error_level(portrait).mean() / 2, "never saved so before"


def test_once_all_of_it_is_saved_again_nothing_stands_out(portrait: Rgb) -> None:
    """The limit its sentence states."""
    pasted = saved(portrait, 90).copy()
    pasted[PASTED] = saved(portrait, 60)[PASTED]
    again, never = saved(pasted, 50), saved(saved(portrait, 90), 50)
    shown, usual = (inside_to_outside(forensics.error_level(rgb), PASTED) for rgb in (again, never))
    assert shown < 1.2 * usual


@pytest.mark.parametrize("sigma", [1.5, 4.0])
def test_noise_is_measured_in_grey_levels(sigma: float) -> None:
    assert float(np.median(forensics.noise(rough(sigma)))) == pytest.approx(sigma, rel=0.1)


def test_a_smooth_part_stands_out_and_an_edge_does_not() -> None:
    rgb = rough(4.0)
    rgb[64:128, 64:128] = rough(0.0)[64:128, 64:128]
    rgb[:, 200:] //= 2
    values = forensics.noise(rgb)
    assert inside_to_outside(values, (slice(5, 7), slice(5, 7))) < 0.2
    assert values[:, 12].mean() < 1.2 * values[:, 10].mean()


def test_maps_are_pictures_of_one_size_with_their_limits_told(portrait: Rgb) -> None:
    wide = np.ascontiguousarray(np.tile(portrait, (1, 5, 1)))
    made = forensics.maps(wide, still(wide))
    assert [found.name for found in made] == ["error_level", "noise"]
    assert {Image.open(io.BytesIO(found.picture)).size for found in made} == {(1024, 205)}
    assert all("It decides nothing." in found.reading for found in made)
    assert made == forensics.maps(wide, still(wide)), "the same picture gives the same bytes"
    assert sum(len(found.picture) for found in made) < 300_000


def test_a_large_picture_is_saved_in_strips_that_leave_no_seam() -> None:
    rgb = rough(3.0, 1040)
    values = forensics.error_level(rgb)
    rows = values.mean(axis=1)
    seam = round(forensics.STRIP * 1024 / 1040)
    assert np.abs(rows[seam - 2 : seam + 3] - rows.mean()).max() < 6 * rows.std()


def test_what_would_show_only_scaling_or_a_codec_is_left_out(portrait: Rgb) -> None:
    assert forensics.maps(portrait, MediaInfo("video", "video/mp4", 512, 512, 3.0, 90)) == ()
    assert forensics.maps(portrait, MediaInfo("image", "image/jpeg", 8192, 8192, 0.0, 1)) == ()
    assert forensics.maps(portrait[:40, :40], MediaInfo("image", "image/png", 40, 40, 0.0, 1)) == ()
    odd = portrait[:77, :91]
    assert len(forensics.maps(odd, still(odd))) == 2


@pytest.mark.parametrize("value", [0, 255])
def test_a_flat_picture_is_dark_everywhere(value: int) -> None:
    rgb = np.full((80, 96, 3), value, np.uint8)
    for found in forensics.maps(rgb, still(rgb)):
        assert np.asarray(Image.open(io.BytesIO(found.picture))).max() < 16
