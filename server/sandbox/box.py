"""One child, seen by its parent: messages come in, with a deadline; it is killed with all it may have started.

The child may be lied to, crash, hang or be taken over by what it reads: nothing it says is believed without a look.
"""

from __future__ import annotations

import os
import select
import signal
import socket
import sys
import threading
import time
from types import TracebackType
from typing import IO

from server.errors import ChildDied, ChildTimeout, from_code
from server.sandbox.wire import LENGTHS, BrokenMessage, Header, header, lengths

_PIPE_BYTES = 1024 * 1024  # the most an unprivileged process may ask for; a 720p frame is 2.7 MB
_F_SETPIPE_SZ = 1031
_STDERR_TAIL = 4000
_END_SECONDS = 10.0  # for the kernel to end a killed process


class Sandbox:
    """Made by ForkServer. `seconds` is the time spent waiting for it in all: one held up by its reader is not late.

    To be used by one thread at a time; only `kill` and `close` may come from another meanwhile.
    """

    def __init__(self, leash: socket.socket, answers: int, stderr: IO[bytes], seconds: float, max_payload: int) -> None:
        self._leash, self._out, self._stderr = leash, answers, stderr
        self._left = seconds
        self._max_payload = max_payload
        self._pipes = threading.RLock()  # held while a pipe is used, so that none is closed under its reader
        self._exit: int | None = None
        self._leash.settimeout(_END_SECONDS)
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
    def closed(self) -> bool:
        return self._out < 0

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

    def kill(self) -> None:
        """The thread that waits in `receive` gets ChildDied."""
        try:
            self._leash.shutdown(socket.SHUT_WR)
        except OSError:  # it is dead already
            return

    def close(self) -> None:
        """Returns when the child and its group are dead. Closing twice does nothing."""
        self.kill()
        with self._pipes:
            if self.closed:
                return
            self._last_word()
            os.close(self._out)
            self._out = -1
            self._leash.close()
            self._stderr.close()

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
        self._left -= time.monotonic() - started
        if not ready:
            self.close()
            raise ChildTimeout

    def _died(self, what: str | None = None) -> ChildDied:
        if not self.closed:
            self.kill()
            self._last_word()
        error = ChildDied(details={"exit": what or _exit_name(self._exit)})
        if not self.closed:
            self._note(error)
        self.close()
        return error

    def _last_word(self) -> None:
        """The zygote tells how the child ended, then lets go of the leash as well."""
        try:
            while said := self._leash.recv(LENGTHS.size):
                size, _ = lengths(said, 0)
                self._exit = int(header(self._leash.recv(size, socket.MSG_WAITALL))["exit"])
        except (OSError, BrokenMessage, KeyError):  # the zygote is gone, and so the kernel killed the child
            return

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


def _exit_name(code: int | None) -> str:
    if code is None:
        return "unknown"
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
