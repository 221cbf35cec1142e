"""The parent's side of the child: addresses and files go in, bytes on disk and frames come out.

with MediaChild(settings) as child:
    fetched = child.fetch(url)
    info, frames = child.decode(fetched.path, count=60)
"""

from __future__ import annotations

import math
import shutil
import stat
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict
from pathlib import Path
from types import TracebackType

import numpy as np

from models.types import Frame, MediaInfo
from server.errors import ChildDied, ChildTimeout, DecodeTimeout, FetchTimeout, MediaGone, UnmaskError
from server.fetch.sandbox import Limits, Sandbox
from server.fetch.sources import Fetched, FetchLimits, NotModified, Progress, Request
from server.fetch.wire import Header
from server.identity import sha256_file
from server.intake import EXTENSIONS
from server.settings import MiB, Settings

ENTRY = "server.worker.child"
FOLDER_PREFIX = "child-"
MAX_SIDE, MAX_STILL_SIDE = 1920, 4096  # of a frame, of a still; larger ones are scaled down where they are decoded
FETCH_MEMORY = 1024 * MiB  # yt-dlp on a large page stays under 200
DECODE_MEMORY = 4096 * MiB  # 16 reference frames of the most pixels, twice, and the libraries
CPU_SHARE = 8  # CPU seconds a second of waiting: the parent's watch comes first, this is for when it is gone
# One thread a library: the codecs bring their own, and every thread reserves address space.
_ENVIRONMENT = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MALLOC_ARENA_MAX": "2", "YTDLP_NO_PLUGINS": "1"}


class MediaChild:
    """Holds the child processes and the folder of one check; closing it kills the one and removes the other.

    A fetched file lives in that folder: move it away to keep it. For one thread, but `close` may come from any.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._lock = threading.Lock()
        self._closed = False
        self._folder: Path | None = None
        self._decoder: Sandbox | None = None
        self._children: list[Sandbox] = []
        self._unread = False  # the decoder still has frames of an earlier file to hand out

    def __enter__(self) -> MediaChild:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Also cancels: a call that waits in another thread ends with ChildDied, and so does every later one."""
        with self._lock:
            self._closed = True
            for child in self._children:
                child.close()
            if self._folder is not None:
                shutil.rmtree(self._folder, ignore_errors=True)

    def fetch(
        self,
        url: str,
        *,
        page_url: str | None = None,
        media_url: str | None = None,
        etag: str | None = None,
        last_modified: str | None = None,
        progress: Progress | None = None,
    ) -> Fetched | NotModified:
        """The media at `url`, or at `media_url` if that works. `progress` gets bytes done and in all (or None)."""
        s = self._settings
        limits = FetchLimits(
            s.max_upload_bytes, s.fetch_page_bytes, s.fetch_requests, s.fetch_seconds, s.max_seconds, s.fetch_allow
        )
        request = Request(url, page_url, media_url, etag, last_modified)
        fetcher, folder = self._start(s.fetch_seconds, FETCH_MEMORY)
        try:
            fetcher.send({"do": "fetch", "request": asdict(request), "limits": asdict(limits)})
            if not etag and not last_modified:  # new content will want decoding: import the decoder meanwhile
                self._prepare()
            while (head := fetcher.receive()[0]).get("type") == "progress":
                if progress is not None:
                    progress(*_progress(head))
            fetcher.close()  # what is looked at now can no longer change
            return _result(head, folder)
        except ChildTimeout:
            raise FetchTimeout from None
        except ChildDied as error:
            error.details["step"] = "fetch"
            raise
        finally:
            fetcher.close()

    def probe(self, path: Path) -> MediaInfo:
        """What a file is, from its headers."""
        info, frames = self._read(path, 0)
        for _ in frames:
            raise _nonsense("probe")
        return info

    def decode(self, path: Path, count: int) -> tuple[MediaInfo, Iterator[Frame]]:
        """Up to `count` frames spread over the media, handed out as they are decoded."""
        return self._read(path, max(1, count))

    def _read(self, path: Path, count: int) -> tuple[MediaInfo, Iterator[Frame]]:
        if not path.exists():
            raise MediaGone
        s = self._settings
        limits = {"max_pixels": s.max_pixels, "max_seconds": s.max_seconds}
        limits |= {"max_side": MAX_SIDE, "max_still_side": MAX_STILL_SIDE}
        command = {"path": str(path.resolve()), "limits": limits, "count": count}
        with _decoding():
            decoder = self._ready_decoder()
            self._unread = True
            decoder.send({"do": "decode" if count else "probe", **command})
            head, _ = self._answer(decoder)
        return _info(head), self._frames(decoder)

    def _frames(self, decoder: Sandbox) -> Iterator[Frame]:
        with _decoding():
            while (answer := self._answer(decoder))[0].get("type") == "frame":
                yield _frame(*answer)
        self._unread = False

    def _answer(self, decoder: Sandbox) -> tuple[Header, bytearray]:
        try:
            return decoder.receive()
        except UnmaskError:
            self._unread = False  # an error ends the answer
            raise

    def _prepare(self) -> None:
        self._ready_decoder().send({"do": "prepare"})

    def _ready_decoder(self) -> Sandbox:
        """The one that runs, unless it is in the middle of something or has worked long enough for its CPU limit."""
        seconds, decoder = self._settings.decode_seconds, self._decoder
        if decoder is not None and (self._unread or decoder.closed or decoder.waited > seconds):
            decoder.close()
            decoder = None
        if decoder is None:
            decoder = self._decoder = self._start(seconds, DECODE_MEMORY)[0]
            self._unread = False
        decoder.allow(seconds)
        return decoder

    def _start(self, seconds: int, memory: int) -> tuple[Sandbox, Path]:
        limits = Limits(memory, self._settings.max_upload_bytes + MiB, cpu_seconds=CPU_SHARE * seconds)
        with self._lock:
            if self._closed:
                raise ChildDied(details={"exit": "closed"})
            if self._folder is None:
                self._settings.spool.mkdir(parents=True, exist_ok=True)
                self._folder = Path(tempfile.mkdtemp(prefix=FOLDER_PREFIX, dir=self._settings.spool)).resolve()
            child = Sandbox(
                ENTRY,
                self._folder,
                seconds,
                limits,
                max_payload=3 * MAX_STILL_SIDE * MAX_STILL_SIDE,
                environment=_ENVIRONMENT,
            )
            self._children = [old for old in self._children if not old.closed] + [child]
            return child, self._folder


@contextmanager
def _decoding() -> Iterator[None]:
    try:
        yield
    except ChildTimeout:
        raise DecodeTimeout from None
    except ChildDied as error:
        error.details["step"] = "decode"
        raise


def _nonsense(what: str) -> ChildDied:
    """The child answers what ours never would: it has been taken over, or it is another version."""
    return ChildDied(details={"exit": f"unexpected answer: {what}"})


def _progress(head: Header) -> tuple[int, int | None]:
    done, total = head.get("done"), head.get("total")
    if not isinstance(done, int) or not isinstance(total, int | None):
        raise _nonsense("progress")
    return done, total


def _result(head: Header, folder: Path) -> Fetched | NotModified:
    kind = head.pop("type", None)
    try:
        if kind == "not_modified":
            return NotModified(**head)
        fetched = Fetched(**{**head, "path": folder / str(head["path"])})
        if kind == "fetched" and _is_true(fetched, folder):
            return fetched
    except (KeyError, TypeError, OSError):
        pass
    raise _nonsense("result")


def _is_true(fetched: Fetched, folder: Path) -> bool:
    """The hash is the identity of media, and verdicts hang on it: so it is taken here once more."""
    path, found = fetched.path, fetched.path.lstat()
    usual = folder / (fetched.sha256 + EXTENSIONS[fetched.mime])
    is_file = path == usual and stat.S_ISREG(found.st_mode) and found.st_size == fetched.size
    return is_file and sha256_file(path) == fetched.sha256


def _info(head: Header) -> MediaInfo:
    try:
        if head["type"] == "info" and head["kind"] in ("image", "video") and math.isfinite(head["duration"]):
            width, height, frames = int(head["width"]), int(head["height"]), int(head["frames"])
            duration, complete = float(head["duration"]), bool(head.get("complete", True))
            return MediaInfo(head["kind"], str(head["mime"]), width, height, duration, frames, complete)
    except (KeyError, TypeError, ValueError):
        pass
    raise _nonsense("info")


def _frame(head: Header, pixels: bytearray) -> Frame:
    try:
        height, width, channels = head["shape"]
        if channels != 3 or not math.isfinite(head["t"]):
            raise ValueError
        rgb = np.frombuffer(pixels, np.uint8).reshape(height, width, 3)
        return Frame(rgb, float(head["t"]), int(head["index"]), int(head.get("missing", 0)))
    except (KeyError, TypeError, ValueError):
        raise _nonsense("frame") from None


def clean_spool(settings: Settings, older_than: float) -> int:
    """Remove folders that killed workers left behind; returns how many. `older_than` in seconds."""
    limit = time.time() - older_than
    gone = 0
    for path in settings.spool.glob(FOLDER_PREFIX + "*"):
        with suppress(FileNotFoundError):  # its own check, or another worker, was quicker
            if path.stat().st_mtime < limit:
                shutil.rmtree(path, ignore_errors=True)
                gone += 1
    return gone
