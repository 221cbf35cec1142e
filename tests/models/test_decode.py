from __future__ import annotations

import io
import struct
import time
import zlib
from pathlib import Path

import av
import numpy as np
import pytest
from PIL import Image

from models.decode import DecodeLimits, decode, probe, watch
from models.errors import CorruptMedia, EmptyFile, TooLong, TooManyPixels, UnsupportedMedia
from models.types import Frame, Glance, Rgb
from tests.models.media import number_of, stamped, write_clip


def only(path: Path, limits: DecodeLimits) -> Rgb:
    (frame,) = decode(path, limits, 60)
    return frame.rgb


def save(path: Path, picture: Image.Image, **options: object) -> Path:
    picture.save(path, **options)
    return path


@pytest.mark.parametrize("mode", ["L", "RGB", "CMYK"])
def test_jpeg_of_any_colour_space(tmp_path: Path, portrait: Rgb, limits: DecodeLimits, mode: str) -> None:
    path = save(tmp_path / "a", Image.fromarray(portrait).convert(mode), format="JPEG")
    rgb = only(path, limits)
    assert rgb.shape == (512, 512, 3)
    assert rgb.dtype == np.uint8
    wanted = portrait if mode != "L" else np.asarray(Image.fromarray(portrait).convert("L").convert("RGB"))
    assert np.abs(rgb.astype(int) - wanted).mean() < 8
    info = probe(path, limits)
    assert (info.kind, info.mime, info.width, info.height, info.frames) == ("image", "image/jpeg", 512, 512, 1)


def test_transparent_png_lies_on_white(tmp_path: Path, limits: DecodeLimits) -> None:
    rgb = only(save(tmp_path / "a", Image.new("RGBA", (8, 8), (255, 0, 0, 0)), format="PNG"), limits)
    assert (rgb == 255).all()


def test_sixteen_bit_png_keeps_its_range(tmp_path: Path, limits: DecodeLimits) -> None:
    ramp = np.linspace(0, 65535, 256 * 4).reshape(4, 256).astype(np.uint16)
    rgb = only(save(tmp_path / "a", Image.fromarray(ramp), format="PNG"), limits)
    assert rgb.min() == 0
    assert rgb.max() == 255
    assert abs(float(rgb.mean()) - 127.5) < 2


def test_portrait_jpeg_is_turned_upright(tmp_path: Path, limits: DecodeLimits) -> None:
    lying = np.zeros((40, 80, 3), np.uint8)
    lying[:, :20] = 255  # orientation 6: what is left in the file is at the top
    exif = Image.Exif()
    exif[0x0112] = 6
    path = save(tmp_path / "a", Image.fromarray(lying), format="JPEG", exif=exif)
    rgb = only(path, limits)
    assert rgb.shape == (80, 40, 3)
    assert rgb[:15].mean() > 240 > 15 > rgb[30:].mean()
    assert (probe(path, limits).width, probe(path, limits).height) == (40, 80)


def test_large_picture_is_scaled_down(tmp_path: Path) -> None:
    path = save(tmp_path / "a", Image.new("RGB", (3000, 1500), "red"), format="JPEG")
    assert max(only(path, DecodeLimits(40_000_000, 10, max_still_side=1000)).shape) == 1000


def test_gif_with_one_frame_is_a_picture(tmp_path: Path, limits: DecodeLimits) -> None:
    path = save(tmp_path / "a", Image.new("P", (20, 10), 3), format="GIF")
    assert probe(path, limits).kind == "image"
    assert only(path, limits).shape == (10, 20, 3)


@pytest.mark.parametrize("kind", ["GIF", "WEBP", "PNG"])
def test_animation_is_a_video_of_at_most_64_frames(tmp_path: Path, limits: DecodeLimits, kind: str) -> None:
    pictures = [Image.fromarray(stamped(i % 50, 16, 16)) for i in range(90)]
    for i, picture in enumerate(pictures):
        picture.putpixel((i % 16, i // 16), (255, 0, 0))  # no two alike, or encoders merge them
    path = tmp_path / "a"
    pictures[0].save(path, format=kind, save_all=True, append_images=pictures[1:], duration=50)
    info = probe(path, limits)
    frames = list(decode(path, limits, 100))
    assert info.kind == "video"
    assert info.frames == 90
    assert info.duration == pytest.approx(4.5, abs=0.5)
    assert len(frames) == 64
    assert [frame.t for frame in frames] == sorted(frame.t for frame in frames)
    assert all(frame.rgb.shape == (16, 16, 3) for frame in frames)


def test_empty_file(tmp_path: Path, limits: DecodeLimits) -> None:
    (tmp_path / "a").touch()
    with pytest.raises(EmptyFile, match="empty"):
        probe(tmp_path / "a", limits)


@pytest.mark.parametrize("name", ["a.mp4", "a.jpg", "a.m3u8"])
def test_text_is_refused_whatever_its_name(tmp_path: Path, limits: DecodeLimits, name: str) -> None:
    (tmp_path / name).write_text("#EXTM3U\nhttp://169.254.169.254/\n")
    with pytest.raises(UnsupportedMedia, match="Send"):
        probe(tmp_path / name, limits)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_truncated_picture(tmp_path: Path, portrait: Rgb, limits: DecodeLimits, kind: str) -> None:
    buffer = io.BytesIO()
    Image.fromarray(portrait).save(buffer, kind)
    path = tmp_path / "a"
    path.write_bytes(buffer.getvalue()[: len(buffer.getvalue()) // 2])
    with pytest.raises(CorruptMedia, match="whole"):
        list(decode(path, limits, 60))


def test_huge_png_is_refused_from_its_header(tmp_path: Path, limits: DecodeLimits) -> None:
    header = b"IHDR" + struct.pack(">IIBBBBB", 20_000, 20_000, 8, 2, 0, 0, 0)
    path = tmp_path / "a"
    path.write_bytes(
        b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 13) + header + struct.pack(">I", zlib.crc32(header)) + b"\0\0\0\0IDAT"
    )
    with pytest.raises(TooManyPixels, match=r"^20000 x 20000 pixels are more than the 40,000,000 "):
        probe(path, limits)


@pytest.mark.parametrize("side", [7000, 10_000])
def test_picture_over_the_limit_but_under_pillows(tmp_path: Path, limits: DecodeLimits, side: int) -> None:
    path = save(tmp_path / "a", Image.new("1", (side, side)), format="PNG")
    with pytest.raises(TooManyPixels):
        probe(path, limits)


def test_clip_is_sampled_evenly_in_order(tmp_path: Path, limits: DecodeLimits) -> None:
    path = write_clip(tmp_path / "a.mp4", (stamped(i // 2) for i in range(100)), rate=20)
    info = probe(path, limits)
    assert (info.kind, info.frames, info.width, info.height) == ("video", 100, 96, 64)
    assert info.duration == pytest.approx(5.0, abs=0.1)
    frames = list(decode(path, limits, 10))
    assert len(frames) == 10
    assert [frame.t for frame in frames] == pytest.approx(np.arange(0.25, 5, 0.5), abs=0.15)
    assert all(abs(number_of(frame.rgb) - frame.index // 2) <= 1 for frame in frames)
    assert all(abs(frame.t - frame.index / 20) < 0.01 for frame in frames)


def test_short_clip_gives_every_frame(tmp_path: Path, limits: DecodeLimits) -> None:
    frames = list(decode(write_clip(tmp_path / "a.mp4", (stamped(i) for i in range(12))), limits, 60))
    assert [number_of(frame.rgb) for frame in frames] == list(range(12))


def test_video_of_one_frame(tmp_path: Path, limits: DecodeLimits) -> None:
    path = write_clip(tmp_path / "a.mp4", [stamped(20)])
    assert probe(path, limits).kind == "video"
    assert [number_of(frame.rgb) for frame in decode(path, limits, 60)] == [20]


def test_variable_frame_rate_is_sampled_by_time(tmp_path: Path, limits: DecodeLimits) -> None:
    times = [i * 0.02 for i in range(40)] + [0.8 + i * 0.5 for i in range(1, 9)]
    path = write_clip(tmp_path / "a.mp4", (stamped(i) for i in range(48)), rate=50, times=times)
    frames = list(decode(path, limits, 8))
    assert all(frame.t == pytest.approx(times[number_of(frame.rgb)], abs=0.03) for frame in frames)
    assert sum(frame.t > 0.85 for frame in frames) >= 5  # by number only one or two frames would lie here


@pytest.mark.parametrize(("rotation", "bright"), [(90, "left"), (180, "bottom"), (270, "right")])
def test_phone_video_is_turned_upright(tmp_path: Path, limits: DecodeLimits, rotation: int, bright: str) -> None:
    picture = np.zeros((64, 96, 3), np.uint8)
    picture[:16] = 255
    path = write_clip(tmp_path / "a.mp4", [picture] * 3, rotation=rotation)
    rgb = next(decode(path, limits, 1)).rgb
    sides = {"left": rgb[:, :8], "right": rgb[:, -8:], "top": rgb[:8], "bottom": rgb[-8:]}
    assert max(sides, key=lambda side: float(sides[side].mean())) == bright
    assert rgb.shape[:2] == ((64, 96) if rotation == 180 else (96, 64))
    assert (probe(path, limits).height, probe(path, limits).width) == rgb.shape[:2]


def test_long_clip_is_read_without_decoding_all(tmp_path: Path, limits: DecodeLimits) -> None:
    path = write_clip(tmp_path / "a.mp4", (stamped(i % 50, 32, 32) for i in range(10_000)), rate=30, gop=100)
    begun = time.monotonic()
    frames = list(decode(path, limits, 60))
    assert time.monotonic() - begun < 5
    assert len(frames) == 60
    assert all(abs(number_of(frame.rgb) - frame.index % 50) <= 1 for frame in frames)
    gaps = np.diff([frame.t for frame in frames])
    assert gaps.max() < 2 * gaps.mean()


def test_too_long_clip(tmp_path: Path) -> None:
    path = write_clip(tmp_path / "a.mp4", (stamped(i) for i in range(50)), rate=10)
    with pytest.raises(TooLong, match="at most 3 s"):
        probe(path, DecodeLimits(40_000_000, 3))


def test_clip_with_too_many_pixels(tmp_path: Path) -> None:
    path = write_clip(tmp_path / "a.mp4", [stamped(1)])
    with pytest.raises(TooManyPixels):
        probe(path, DecodeLimits(1000, 10))


@pytest.mark.parametrize("box", [b"iloc", b"pitm", b"iinf", b"av1C"])
def test_avif_without_a_part_it_needs(tmp_path: Path, portrait: Rgb, limits: DecodeLimits, box: bytes) -> None:
    path = save(tmp_path / "a", Image.fromarray(portrait), format="AVIF")
    path.write_bytes(path.read_bytes().replace(box, b"free"))
    with pytest.raises(CorruptMedia):
        probe(path, limits)


def test_corrupt_clip(tmp_path: Path, limits: DecodeLimits) -> None:
    path = write_clip(tmp_path / "a.mp4", (stamped(i) for i in range(30)))
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 3])
    with pytest.raises(CorruptMedia):
        list(decode(path, limits, 60))


def test_clip_with_a_damaged_middle_gives_what_is_left(tmp_path: Path, portrait: Rgb, limits: DecodeLimits) -> None:
    path = write_clip(tmp_path / "a.mp4", (np.roll(portrait, 5 * i, axis=1) for i in range(40)), gop=5)
    content = bytearray(path.read_bytes())
    middle = len(content) // 2
    content[middle : middle + 5000] = bytes(5000)
    path.write_bytes(content)
    frames = list(decode(path, limits, 10))
    assert frames
    assert [frame.t for frame in frames] == sorted({frame.t for frame in frames})


def noisy(seed: int) -> Rgb:
    return np.random.default_rng(seed).integers(0, 256, (64, 96, 3), np.uint8)


def cut(path: Path, share: float) -> Path:
    """As a broken download leaves it: the index lies at the front and is whole."""
    front = path.with_name("front" + path.suffix)
    with av.open(str(path)) as source, av.open(str(front), "w", options={"movflags": "faststart"}) as out:
        stream = out.add_stream_from_template(source.streams.video[0])
        for packet in source.demux(video=0):
            if packet.dts is not None:
                packet.stream = stream
                out.mux(packet)
    content = front.read_bytes()
    front.write_bytes(content[: round(len(content) * share)])
    return front


@pytest.mark.parametrize(("name", "codec"), [("a.mp4", "libx264"), ("a.mkv", "mpeg4")])
def test_a_clip_cut_short_says_so(tmp_path: Path, limits: DecodeLimits, name: str, codec: str) -> None:
    path = write_clip(tmp_path / name, (noisy(i) for i in range(100)), codec=codec, gop=10)
    assert probe(path, limits).complete
    assert probe(cut(path, 1), limits).complete
    assert not probe(cut(path, 0.7), limits).complete
    with pytest.raises(CorruptMedia, match="cut short"):
        probe(cut(path, 0.4), limits)


def spoilt(path: Path, start: float, end: float) -> Path:
    content = bytearray(path.read_bytes())
    first, last = round(len(content) * start), round(len(content) * end)
    content[first:last] = np.random.default_rng(1).bytes(last - first)
    path.write_bytes(content)
    return path


def test_a_clip_that_is_mostly_damaged_is_refused(tmp_path: Path, limits: DecodeLimits) -> None:
    path = cut(write_clip(tmp_path / "a.mp4", (noisy(i) for i in range(100)), gop=10), 1)
    with pytest.raises(CorruptMedia, match="damaged"):
        list(decode(spoilt(path, 1 / 3, 1), limits, 60))


def test_a_clip_that_is_damaged_in_part_says_so(tmp_path: Path, limits: DecodeLimits) -> None:
    path = cut(write_clip(tmp_path / "a.mp4", (noisy(i) for i in range(100)), gop=10), 1)
    assert sum(frame.missing for frame in decode(path, limits, 60)) == 0
    *frames, last = decode(spoilt(path, 0.7, 1), limits, 60)
    assert last.missing == 60 - len(frames) - 1
    assert 6 < last.missing < 30
    assert not any(frame.missing for frame in frames)


def test_sound_alone_is_no_video(tmp_path: Path, limits: DecodeLimits) -> None:
    (tmp_path / "a.ogg").write_bytes(b"OggS" + bytes(400))
    with pytest.raises((CorruptMedia, UnsupportedMedia)):
        probe(tmp_path / "a.ogg", limits)


@pytest.mark.parametrize(("name", "codec"), [("a.webm", "libvpx"), ("a.avi", "mpeg4"), ("a.mkv", "mpeg4")])
def test_other_containers(tmp_path: Path, limits: DecodeLimits, name: str, codec: str) -> None:
    path = write_clip(tmp_path / name, (stamped(10 + i) for i in range(20)), codec=codec)
    hidden = path.rename(tmp_path / "no-name")
    assert len(list(decode(hidden, limits, 5))) == 5


def test_glances_come_between_the_same_frames(tmp_path: Path, limits: DecodeLimits) -> None:
    path = write_clip(tmp_path / "a.mp4", (stamped(i % 50, 400, 800) for i in range(330)), rate=30)
    shown = list(watch(path, limits, 5))
    frames = [picture for picture in shown if isinstance(picture, Frame)]
    glances = [picture for picture in shown if isinstance(picture, Glance)]
    usual = list(decode(path, limits, 5))
    assert [(frame.t, frame.index) for frame in frames] == [(frame.t, frame.index) for frame in usual]
    assert all(np.array_equal(one.rgb, other.rgb) for one, other in zip(frames, usual, strict=True))
    assert isinstance(shown[0], Frame), "no glance before a face can be known"
    assert [picture.t for picture in shown] == sorted(picture.t for picture in shown)
    assert len(glances) == pytest.approx(15 * (11 - frames[0].t), abs=2)
    assert {glance.grey.shape for glance in glances} == {(320, 640)}
    assert all(number_of(glance.grey) == round(30 * glance.t) % 50 for glance in glances)


def test_a_glance_is_turned_upright_as_the_frame_is(tmp_path: Path, limits: DecodeLimits) -> None:
    path = write_clip(tmp_path / "a.mp4", (stamped(i % 50) for i in range(110)), rate=10, rotation=90)
    shown = list(watch(path, limits, 3))
    shapes = {p.rgb.shape[:2] if isinstance(p, Frame) else p.grey.shape for p in shown}
    assert shapes == {(96, 64)}


def test_nothing_to_glance_at(tmp_path: Path, portrait: Rgb, limits: DecodeLimits) -> None:
    short = write_clip(tmp_path / "a.mp4", (stamped(i) for i in range(30)), rate=10)
    still = save(tmp_path / "a.png", Image.fromarray(portrait))
    for path in (short, still):
        assert all(isinstance(picture, Frame) for picture in watch(path, limits, 60))


def test_what_is_missing_is_told_behind_the_last_glance(tmp_path: Path, limits: DecodeLimits) -> None:
    path = write_clip(tmp_path / "a.mp4", (noisy(i) for i in range(240)), rate=20, gop=20)
    *shown, last = watch(spoilt(cut(path, 1), 0.7, 1), limits, 60)
    assert isinstance(last, Glance)
    assert sum(picture.missing for picture in shown) == 0
    assert last.missing > 6
