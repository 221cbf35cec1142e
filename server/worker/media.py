"""The parent's side of the children: addresses and files go in, bytes on disk and frames come out.

with MediaChild(settings, children(settings)) as child:
    fetched = child.fetch(url)
    info, frames = child.decode(fetched.path, count=60)
"""

from __future__ import annotations

import shutil
import socket
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, replace
from pathlib import Path
from types import TracebackType

from models.types import Frame, Glance, MediaInfo
from server.errors import ChildDied, ChildTimeout, DecodeTimeout, FetchTimeout, MediaGone, UnmaskError
from server.fetch.address import networks
from server.fetch.carry import Allowance
from server.fetch.dial import Vetted
from server.fetch.egress import Egress
from server.fetch.proxy import Address, Through
from server.fetch.sources import Fetched, FetchLimits, NotModified, Progress, Request
from server.sandbox.box import Sandbox
from server.sandbox.confine import Limits
from server.sandbox.forkserver import ForkServer
from server.sandbox.wire import Header
from server.settings import MiB, Settings
from server.worker import believed

ENTRY = "server.worker.child"
PRELOAD_DECODING = ("server.worker.frames",)
PRELOAD_FETCHING = ("server.fetch.direct", "server.fetch.download:warm")
FOLDER_PREFIX = "child-"
MAX_SIDE, MAX_STILL_SIDE = 1920, 4096  # of a frame, of a still; larger ones are scaled down where they are decoded
FETCH_MEMORY = 768 * MiB  # of address space: 250 are the zygote's; yt-dlp on a large page takes under 200
DECODE_MEMORY = 4096 * MiB  # 16 reference frames of the most pixels, twice, and the libraries
REDIRECTS, GRACE_SECONDS = 20, 2.0
CPU_SHARE = 8  # CPU seconds a second of waiting: the parent's watch comes first, this is for when it is gone
# One thread a library: the codecs bring their own, and every thread reserves address space.
_ENVIRONMENT = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MALLOC_ARENA_MAX": "2", "YTDLP_NO_PLUGINS": "1"}


def children(settings: Settings, *, fetching: bool = True) -> ForkServer:
    """What starts the children; one for a whole process. `fetching` False saves importing what only that needs."""
    preload = (*PRELOAD_DECODING, *(PRELOAD_FETCHING if fetching else ()))
    return ForkServer(ENTRY, preload, environment=_ENVIRONMENT, strict=settings.sandbox_required)


class MediaChild:
    """Holds the child processes and the folder of one check; closing it kills the one and removes the other.

    A fetched file lives in that folder: move it away to keep it. For any number of threads. `hashing`: frames come
    with what they look like, 5 ms each.
    """

    def __init__(self, settings: Settings, children: ForkServer, *, hashing: bool = False) -> None:
        self._settings = settings
        self._start = children.start
        self._hashing = hashing
        self._lock = threading.Lock()
        self._closed = False
        self._folder: Path | None = None
        self._running: set[Sandbox] = set()

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
            for child in self._running:
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
        limits = FetchLimits(s.max_upload_bytes, s.fetch_page_bytes, s.fetch_requests, s.fetch_seconds, s.max_seconds)
        request = Request(url, page_url, media_url, etag, last_modified)
        command = {"do": "fetch", "request": asdict(request), "limits": asdict(limits)}
        dial = Through(Address.parse(s.fetch_proxy_url)) if s.fetch_proxy_url else Vetted(networks(s.fetch_allow))
        # The child has its own bounds and names them better; these are for one that no longer keeps them.
        allowance = Allowance(
            s.max_upload_bytes + s.fetch_page_bytes, s.fetch_requests + REDIRECTS, s.fetch_seconds + GRACE_SECONDS
        )
        with (
            Egress(dial, allowance) as egress,
            _named("fetch", FetchTimeout),
            self._child(command, s.fetch_seconds, FETCH_MEMORY, way_out=egress.door) as (child, folder),
        ):
            try:
                while (head := child.receive()[0]).get("type") == "progress":
                    done, whole = believed.progress(head)
                    if progress is not None:
                        progress(done, whole)
            except UnmaskError as error:
                raise egress.stopped or error from None
            child.close()
            if egress.stopped is not None:
                raise egress.stopped
            return self._taken(believed.result(head, folder))

    def probe(self, path: Path) -> MediaInfo:
        """What a file is, from its headers."""
        info, frames = self._read(path, 0)
        for _ in frames:
            raise believed.nonsense("probe")
        return info

    def decode(self, path: Path, count: int) -> tuple[MediaInfo, Iterator[Frame]]:
        """Up to `count` frames spread over the media, handed out as they are decoded."""
        info, pictures = self._read(path, max(1, count))
        return info, (picture for picture in pictures if isinstance(picture, Frame))

    def watch(self, path: Path, count: int) -> tuple[MediaInfo, Iterator[Frame | Glance]]:
        """The same frames, with the glances between them."""
        return self._read(path, max(1, count), glances=True)

    def _read(self, path: Path, count: int, *, glances: bool = False) -> tuple[MediaInfo, Iterator[Frame | Glance]]:
        if not path.exists():
            raise MediaGone
        answers = self._answers(path.resolve(), count, glances)
        return believed.info(next(answers)[0]), believed.pictures(answers, count)

    def _answers(self, path: Path, count: int, glances: bool) -> Iterator[tuple[Header, bytearray]]:
        """All that a decoder says of a file, up to its end."""
        s = self._settings
        limits = {"max_pixels": s.max_pixels, "max_seconds": s.max_seconds}
        limits |= {"max_side": MAX_SIDE, "max_still_side": MAX_STILL_SIDE}
        command = {"do": "decode", "path": str(path), "limits": limits, "count": count}
        command |= {"glances": glances, "hashing": self._hashing}
        reads: tuple[Path, ...] = (path,)
        if s.trust_list is not None:
            command["trusted"] = str(s.trust_list.resolve())
            reads += (s.trust_list.resolve(),)
        with (
            _named("decode", DecodeTimeout),
            self._child(command, s.decode_seconds, DECODE_MEMORY, reads=reads) as (child, _),
        ):
            while (answer := child.receive())[0].get("type") != "end":
                yield answer

    def _taken(self, fetched: Fetched | NotModified) -> Fetched | NotModified:
        """Out of the child's folder, to where no other child can change it."""
        if isinstance(fetched, NotModified):
            return fetched
        folder = Path(tempfile.mkdtemp(prefix="kept-", dir=self._home()))  # the same file may be fetched twice at once
        return replace(fetched, path=fetched.path.rename(folder / fetched.path.name))

    @contextmanager
    def _child(
        self,
        command: Header,
        seconds: int,
        memory: int,
        *,
        reads: tuple[Path, ...] = (),
        way_out: socket.socket | None = None,
    ) -> Iterator[tuple[Sandbox, Path]]:
        """A child and its own folder; neither outlives the block."""
        limits = Limits(memory, self._settings.max_upload_bytes + MiB, cpu_seconds=CPU_SHARE * seconds)
        folder = Path(tempfile.mkdtemp(dir=self._home()))
        payload = 3 * MAX_STILL_SIDE * MAX_STILL_SIDE
        with self._lock:
            self._check_open()
            child = self._start(command, folder, seconds, limits, reads=reads, way_out=way_out, max_payload=payload)
            self._running.add(child)
        try:
            with child:
                yield child, folder
        finally:
            with self._lock:
                self._running.discard(child)
            shutil.rmtree(folder, ignore_errors=True)

    def _home(self) -> Path:
        with self._lock:
            self._check_open()
            if self._folder is None:
                self._settings.spool.mkdir(parents=True, exist_ok=True)
                self._folder = Path(tempfile.mkdtemp(prefix=FOLDER_PREFIX, dir=self._settings.spool)).resolve()
            return self._folder

    def _check_open(self) -> None:
        if self._closed:
            raise ChildDied(details={"exit": "closed"})


@contextmanager
def _named(step: str, late: type[UnmaskError]) -> Iterator[None]:
    try:
        yield
    except ChildTimeout:
        raise late from None
    except ChildDied as error:
        error.details["step"] = step
        raise


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
