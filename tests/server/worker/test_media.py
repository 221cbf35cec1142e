from __future__ import annotations

import io
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from models import pdq
from models.types import Frame, Glance
from server.errors import (
    ChildDied,
    CorruptMedia,
    DecodeTimeout,
    EmptyFile,
    MediaGone,
    TooLong,
    TooManyPixels,
    UnsupportedMedia,
)
from server.fetch.sources import Fetched
from server.intake import FRAMES_MIME, spool_frames
from server.sandbox.forkserver import ForkServer
from server.settings import Settings
from server.worker.media import FOLDER_PREFIX, MediaChild, clean_spool
from tests.clips import make_clip, portrait
from tests.server.fetch.server import Server
from tests.signing import make_signer


def encoded(rgb: np.ndarray, kind: str = "PNG") -> bytes:
    out = io.BytesIO()
    Image.fromarray(rgb).save(out, kind)
    return out.getvalue()


@pytest.fixture
def allowed(tmp_path: Path) -> Settings:
    return Settings(data_dir=tmp_path / "data", fetch_allow="127.0.0.1/32", fetch_seconds=20, decode_seconds=30)


@pytest.fixture
def child(allowed: Settings, children: ForkServer) -> Iterator[MediaChild]:
    with MediaChild(allowed, children) as made:
        yield made


@pytest.fixture(scope="session")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_clip(tmp_path_factory.mktemp("clip") / "clip.mp4", seconds=3, width=320, height=180)


@pytest.fixture
def picture(tmp_path: Path) -> Path:
    path = tmp_path / "picture"
    path.write_bytes(encoded(portrait()))
    return path


@pytest.fixture
def web() -> Iterator[Server]:
    with Server() as server:
        yield server


def test_a_fetched_picture_is_decoded(web: Server, child: MediaChild) -> None:
    fetched = child.fetch(web.put("/a.png", encoded(portrait())))
    assert isinstance(fetched, Fetched)
    info, frames = child.decode(fetched.path, 60)
    assert (info.kind, info.mime, info.width, info.height, info.frames) == ("image", "image/png", 512, 512, 1)
    (frame,) = frames
    assert np.array_equal(frame.rgb, portrait())
    assert (frame.t, frame.index) == (0.0, 0)


def test_a_clip_is_decoded_in_order(child: MediaChild, clip: Path) -> None:
    info, frames = child.decode(clip, 6)
    shown = list(frames)
    assert (info.kind, info.width, info.height) == ("video", 320, 180)
    assert info.duration == pytest.approx(3.0, abs=0.1)
    assert 1 < len(shown) <= 6
    assert [frame.t for frame in shown] == sorted(frame.t for frame in shown)
    assert all(frame.rgb.shape == (180, 320, 3) and frame.rgb.dtype == np.uint8 for frame in shown)


def test_watching_adds_glances_to_the_same_frames(child: MediaChild, tmp_path: Path) -> None:
    long = make_clip(tmp_path / "clip.mp4", seconds=10, width=320, height=180, fps=15)
    shown = list(child.watch(long, 4)[1])
    frames, usual = [picture for picture in shown if isinstance(picture, Frame)], list(child.decode(long, 4)[1])
    assert [(frame.t, frame.index) for frame in frames] == [(frame.t, frame.index) for frame in usual]
    glances = [picture for picture in shown if isinstance(picture, Glance)]
    assert all(glance.grey.shape == (180, 320) and glance.grey.dtype == np.uint8 for glance in glances)
    assert len(glances) > 120
    assert [picture.t for picture in shown] == sorted(picture.t for picture in shown)


@pytest.mark.parametrize("name", ["short", "picture", "frames"])
def test_nothing_is_glanced_at_in_short_clips_and_pictures(
    child: MediaChild, clip: Path, picture: Path, tmp_path: Path, name: str
) -> None:
    frames = spool_frames([io.BytesIO(encoded(portrait(), "JPEG")) for _ in range(3)], [0, 6, 12], tmp_path).path
    path = {"short": clip, "picture": picture, "frames": frames}[name]
    assert all(isinstance(shown, Frame) for shown in child.watch(path, 60)[1])


def test_each_second_of_a_clip_and_a_picture_are_hashed_where_that_is_wanted(
    allowed: Settings, children: ForkServer, clip: Path, picture: Path
) -> None:
    with MediaChild(allowed, children, hashing=True) as child:
        hashed = [(frame.t, frame.pdq) for frame in child.decode(clip, 60)[1] if frame.pdq is not None]
        assert [int(t) for t, _ in hashed] == [0, 1, 2]
        (still,) = child.decode(picture, 1)[1]
        assert still.pdq == pdq.of(portrait())
    with MediaChild(allowed, children) as child:
        assert next(child.decode(picture, 1)[1]).pdq is None


def test_credentials_are_read_in_the_child_and_trusted_by_a_list(
    allowed: Settings, children: ForkServer, tmp_path: Path
) -> None:
    signer, path = make_signer(), tmp_path / "picture"
    path.write_bytes(signer.sign(encoded(portrait(), "JPEG"), "image/jpeg", "trainedAlgorithmicMedia"))
    (tmp_path / "trust.pem").write_text(signer.root)
    for listed, state in ((None, "valid_unknown_signer"), (tmp_path / "trust.pem", "trusted")):
        with MediaChild(allowed.model_copy(update={"trust_list": listed}), children) as child:
            told = child.probe(path).provenance
        assert (told.c2pa, told.source_types) == (state, ("trainedAlgorithmicMedia",))


def test_frames_carry_no_credentials(child: MediaChild, tmp_path: Path) -> None:
    stored = spool_frames([io.BytesIO(encoded(portrait(), "JPEG"))], [0], tmp_path)
    assert child.probe(stored.path).provenance.c2pa == "unchecked"


def test_probing_tells_the_same(child: MediaChild, clip: Path, picture: Path) -> None:
    assert child.probe(clip) == child.decode(clip, 1)[0]
    assert child.probe(picture).kind == "image"


def test_frames_left_unread_do_not_turn_up_later(child: MediaChild, clip: Path, picture: Path) -> None:
    _, frames = child.decode(clip, 6)
    next(frames)
    _, other = child.decode(picture, 1)
    assert [frame.rgb.shape for frame in other] == [(512, 512, 3)]


def test_pictures_with_times(child: MediaChild, tmp_path: Path) -> None:
    shades = [np.full((40, 60, 3), 20 * n, np.uint8) for n in range(5)]
    stored = spool_frames([io.BytesIO(encoded(rgb)) for rgb in shades], [0, 0.5, 1, 2, 7.5], tmp_path)

    def read(count: int) -> list[Frame]:
        info, frames = child.decode(stored.path, count)
        assert (info.kind, info.mime, info.width, info.height) == ("video", FRAMES_MIME, 60, 40)
        assert (info.duration, info.frames) == (7.5, 5)
        return list(frames)

    assert [(frame.t, frame.index, int(frame.rgb[0, 0, 0])) for frame in read(60)] == [
        (0.0, 0, 0),
        (0.5, 1, 20),
        (1.0, 2, 40),
        (2.0, 3, 60),
        (7.5, 4, 80),
    ]
    assert [frame.index for frame in read(3)] == [0, 2, 4]
    assert [frame.index for frame in read(1)] == [0]


def test_a_still_keeps_more_than_a_frame(child: MediaChild, tmp_path: Path) -> None:
    large = encoded(np.zeros((2000, 5000, 3), np.uint8), "JPEG")
    (tmp_path / "still").write_bytes(large)
    (still,) = child.decode(tmp_path / "still", 60)[1]
    assert still.rgb.shape == (1638, 4096, 3)
    stored = spool_frames([io.BytesIO(large), io.BytesIO(large)], [0, 0.5], tmp_path)
    assert [frame.rgb.shape for frame in child.decode(stored.path, 60)[1]] == [(768, 1920, 3)] * 2


def test_what_is_missing_of_a_clip_reaches_the_parent(child: MediaChild, tmp_path: Path) -> None:
    clip = make_clip(tmp_path / "clip.mp4", seconds=4, width=320, height=180, gop=10)
    content = clip.read_bytes()
    clip.write_bytes(content[: round(0.7 * len(content))])
    assert not child.probe(clip).complete
    spoilt = round(0.7 * len(content))
    clip.write_bytes(content[:spoilt] + np.random.default_rng(1).bytes(len(content) - spoilt))
    info, frames = child.decode(clip, 60)
    assert info.complete
    assert sum(frame.missing for frame in frames) > 6


def test_one_picture_with_a_time_is_a_picture(child: MediaChild, tmp_path: Path) -> None:
    stored = spool_frames([io.BytesIO(encoded(portrait(), "JPEG"))], [3.5], tmp_path)
    info, frames = child.decode(stored.path, 60)
    assert (info.kind, info.frames) == ("image", 1)
    assert [frame.t for frame in frames] == [3.5]


@pytest.mark.parametrize(
    ("content", "error"),
    [
        (b"", EmptyFile),
        (b"only text", UnsupportedMedia),
        (b"PK\x03\x04" + bytes(100), CorruptMedia),
        (encoded(portrait())[:5000], CorruptMedia),
        (encoded(np.zeros((200, 200, 3), np.uint8)), TooManyPixels),
    ],
)
def test_what_is_wrong_with_a_file_is_named(
    tmp_path: Path, picture: Path, content: bytes, error: type[Exception], children: ForkServer
) -> None:
    file = tmp_path / "file"
    file.write_bytes(content)
    settings = Settings(data_dir=tmp_path, max_pixels=10_000 if error is TooManyPixels else 10**7)
    with MediaChild(settings, children) as child:
        with pytest.raises(error):
            list(child.decode(file, 1)[1])
        if error is not TooManyPixels:
            assert child.probe(picture).width == 512  # and the next file is read as ever


def test_a_clip_that_is_too_long(tmp_path: Path, clip: Path, children: ForkServer) -> None:
    with MediaChild(Settings(data_dir=tmp_path, max_seconds=1), children) as child, pytest.raises(TooLong):
        child.probe(clip)


def test_a_file_that_is_gone(child: MediaChild, tmp_path: Path) -> None:
    with pytest.raises(MediaGone):
        child.decode(tmp_path / "nothing", 1)


def test_reading_has_a_deadline(tmp_path: Path, children: ForkServer) -> None:
    """A pipe that nobody writes to stands for a file that takes for ever."""
    never = tmp_path / "never"
    os.mkfifo(never)
    with MediaChild(Settings(data_dir=tmp_path, decode_seconds=2), children) as child, pytest.raises(DecodeTimeout):
        child.decode(never, 1)


def test_closing_from_another_thread_cancels(tmp_path: Path, child: MediaChild) -> None:
    never = tmp_path / "never"
    os.mkfifo(never)
    threading.Timer(0.3, child.close).start()
    with pytest.raises(ChildDied) as caught:
        child.decode(never, 1)
    assert caught.value.details["step"] == "decode"
    with pytest.raises(ChildDied):
        child.probe(never)


def test_closing_leaves_nothing(web: Server, allowed: Settings, clip: Path, children: ForkServer) -> None:
    with MediaChild(allowed, children) as child:
        child.fetch(web.put("/clip.mp4", clip.read_bytes()))
        next(child.decode(clip, 3)[1])
        assert len(list(allowed.spool.iterdir())) == 1
    assert list(allowed.spool.iterdir()) == []


def test_a_child_may_be_made_and_not_used(allowed: Settings, children: ForkServer) -> None:
    with MediaChild(allowed, children):
        pass
    assert not allowed.spool.exists()


def test_folders_of_killed_workers_are_cleaned_up(allowed: Settings) -> None:
    allowed.spool.mkdir(parents=True)
    for name, age in ((FOLDER_PREFIX + "old", 7200), (FOLDER_PREFIX + "new", 0), ("upload", 7200)):
        folder = allowed.spool / name
        folder.mkdir()
        (folder / "incoming").write_bytes(b"x")
        seconds = folder.stat().st_mtime - age
        os.utime(folder, (seconds, seconds))
    assert clean_spool(allowed, older_than=3600.0) == 1
    assert {path.name for path in allowed.spool.iterdir()} == {FOLDER_PREFIX + "new", "upload"}


def test_the_parent_imports_neither_yt_dlp_nor_codecs() -> None:
    script = "import sys, server.worker.media; print(*sys.modules)"
    ran = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert not {"yt_dlp", "av", "requests"} & set(ran.stdout.split())


@pytest.fixture
def liar(allowed: Settings) -> Iterator[MediaChild]:
    folder = Path(__file__).parents[1] / "sandbox" / "children"
    with ForkServer("liar", environment={"PYTHONPATH": str(folder)}) as liars, MediaChild(allowed, liars) as made:
        yield made


@pytest.mark.parametrize("lie", ["another_hash", "another_file", "no_fields", "odd_progress"])
def test_a_child_is_not_believed_what_it_fetched(liar: MediaChild, lie: str) -> None:
    with pytest.raises(ChildDied) as caught:
        liar.fetch(lie, progress=lambda done, total: None)
    assert "unexpected answer" in caught.value.details["exit"]


@pytest.mark.parametrize("lie", ["odd_info", "no_pixels", "odd_shape", "too_many_pixels"])
def test_a_child_is_not_believed_what_it_decoded(liar: MediaChild, tmp_path: Path, lie: str) -> None:
    (tmp_path / lie).write_bytes(b"x")
    with pytest.raises(ChildDied):
        list(liar.decode(tmp_path / lie, 1)[1])


@pytest.mark.parametrize("lie", ["a_glance_of_colour", "a_large_glance", "glances_without_end"])
def test_a_child_is_not_believed_what_it_glanced_at(liar: MediaChild, tmp_path: Path, lie: str) -> None:
    (tmp_path / lie).write_bytes(b"x")
    with pytest.raises(ChildDied) as caught:
        list(liar.watch(tmp_path / lie, 1)[1])
    assert "unexpected answer" in caught.value.details["exit"]
