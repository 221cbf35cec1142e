"""Run a named entry point as a child process with a deadline and limits, and talk to it in messages.

The entry point is a module with `main(channel)`. It may be lied to, crash, hang or be taken over by what it reads:
so it is killed with its whole process group, and nothing it says is believed without a look. Holding it in
namespaces, Landlock and seccomp belongs here and in inside.py as well; callers see no difference.
"""

from __future__ import annotations

import json
import os
import select
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from types import TracebackType

from server.errors import ChildDied, ChildTimeout, from_code
from server.fetch.wire import LENGTHS, BrokenMessage, Header, header, lengths, pack

_PIPE_BYTES = 1024 * 1024  # the most an unprivileged process may ask for; a 720p frame is 2.7 MB
_F_SETPIPE_SZ = 1031
_STDERR_TAIL = 4000


@dataclass(frozen=True)
class Limits:
    memory_bytes: int  # of address space
    file_bytes: int  # of one file it writes
    cpu_seconds: int
    open_files: int = 128


class Sandbox:
    """One child. `seconds` is the time spent waiting for it in all: a child held up by its reader is not late.

    To be used by one thread at a time; only `kill` and `close` may come from another meanwhile.
    """

    def __init__(
        self,
        module: str,
        folder: Path,
        seconds: float,
        limits: Limits,
        *,
        max_payload: int = 0,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        self._left = seconds
        self.waited = 0.0  # seconds, in all
        self._max_payload = max_payload
        self._lock = threading.Lock()
        self._pipes = threading.RLock()  # held while a pipe is used, so that none is closed under its reader
        self._stderr = tempfile.TemporaryFile(dir=folder)  # noqa: SIM115 - closed in `close`
        home = str(folder)
        lifeline, self._lifeline = os.pipe()  # never written to: its closing is the message
        arguments = [module, str(lifeline), json.dumps(asdict(limits))]
        try:
            self._process = subprocess.Popen(
                [sys.executable, "-s", "-P", "-m", "server.fetch.inside", *arguments],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=self._stderr,
                bufsize=0,
                cwd=folder,
                env={"LANG": "C.UTF-8", "HOME": home, "TMPDIR": home, "PATH": "", **(environment or {})},
                start_new_session=True,
                pass_fds=(lifeline,),
            )
        except OSError:
            os.close(self._lifeline)
            raise
        finally:
            os.close(lifeline)
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._in, self._out = self._process.stdin.fileno(), self._process.stdout.fileno()
        self._poll = select.poll()
        self._poll.register(self._out, select.POLLIN)
        _widen(self._out)

    def __enter__(self) -> Sandbox:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def pid(self) -> int:
        """Also the number of its process group."""
        return self._process.pid

    @property
    def closed(self) -> bool:
        return self._out < 0

    def send(self, head: Header) -> None:
        """A command; the child's thread reads at once, so this does not wait for the work in hand."""
        message = memoryview(pack(head))
        with self._pipes:
            try:
                while message:
                    message = message[os.write(self._in, message) :]
            except OSError:  # a broken pipe, or closed already
                raise self._died() from None

    def receive(self) -> tuple[Header, bytearray]:
        """The next message. An error the child reports is raised here, typed; so are its death and its deadline."""
        with self._pipes:
            try:
                size, payload_size = lengths(self._read(LENGTHS.size), self._max_payload)
                head = header(self._read(size))
                payload = self._read(payload_size)
            except BrokenMessage as error:
                raise self._died(str(error)) from None
            if head.get("type") == "error":
                raise self._reported(head)
            return head, payload

    def allow(self, seconds: float) -> None:
        """A fresh allowance of waiting, for the next piece of work."""
        self._left = seconds

    def kill(self) -> None:
        """The thread that waits in `receive` gets ChildDied."""
        with self._lock:
            if self._process.returncode is None:  # not reaped, so the number is still its own
                os.killpg(self._process.pid, signal.SIGKILL)

    def close(self) -> None:
        """Kill the group and wait for the child. Nothing is left; closing twice does nothing."""
        self._end()
        with self._pipes:
            if self.closed:
                return
            self._in = self._out = -1
            os.close(self._lifeline)
            for pipe in (self._process.stdin, self._process.stdout, self._stderr):
                if pipe is not None:
                    pipe.close()

    def _end(self) -> int:
        self.kill()
        with self._lock:
            return self._process.wait()

    def _read(self, size: int) -> bytearray:
        if self.closed:
            raise self._died("closed")
        data = bytearray(size)
        view = memoryview(data)
        while view:
            self._wait()
            got = os.readv(self._out, [view])
            if not got:
                raise self._died()
            view = view[got:]
        return data

    def _wait(self) -> None:
        started = time.monotonic()
        ready = self._poll.poll(max(0.0, self._left) * 1000)
        waited = time.monotonic() - started
        self._left -= waited
        self.waited += waited
        if not ready:
            self.close()
            raise ChildTimeout

    def _died(self, what: str | None = None) -> ChildDied:
        error = ChildDied(details={"exit": what or _exit_name(self._end())})
        if not self._stderr.closed:
            self._note(error)
        self.close()
        return error

    def _reported(self, head: Header) -> Exception:
        message, details = head.get("message"), head.get("details")
        error = from_code(
            str(head.get("code")),
            message if isinstance(message, str) else None,
            details if isinstance(details, dict) else None,
        )
        if error.code == "internal":
            self._note(error)
        return error

    def _note(self, error: Exception) -> None:
        """The end of its stderr, for the operator's log; never part of what users see."""
        size = self._stderr.seek(0, os.SEEK_END)
        self._stderr.seek(max(0, size - _STDERR_TAIL))
        if tail := self._stderr.read().decode("utf-8", "replace").strip():
            error.add_note(tail)


def _exit_name(code: int) -> str:
    try:
        return signal.Signals(-code).name if code < 0 else f"status {code}"
    except ValueError:
        return f"signal {-code}"


def _widen(pipe: int) -> None:
    if sys.platform == "linux":
        import fcntl

        try:
            fcntl.fcntl(pipe, _F_SETPIPE_SZ, _PIPE_BYTES)
        except OSError:  # the user's pipes hold too much already: the usual 64 KiB will do
            return
