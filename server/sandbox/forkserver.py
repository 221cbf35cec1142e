"""Starts confined children of one entry point, quickly: a warm process (zygote.py) forks them.

The entry point is a module with `main(command, channel)`. Callers know neither namespaces nor system calls.
"""

from __future__ import annotations

import itertools
import os
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from types import TracebackType
from typing import Final

from server.errors import ChildDied
from server.sandbox.box import Sandbox
from server.sandbox.confine import Limits, Plan
from server.sandbox.wire import Header, pack

# Nobody's: between what systemd and the distributions hand out, and small enough for containers that map 65,536.
_UIDS: Final = range(60_578, 61_184)
_END_SECONDS: Final = 2.0
_STARTS: Final = 2  # a zygote that was killed is replaced once before the caller is told


class ForkServer:
    """For any number of threads. `preload` names modules that the children will want, imported when idle."""

    def __init__(
        self,
        entry: str,
        preload: Sequence[str] = (),
        *,
        environment: Mapping[str, str] | None = None,
        strict: bool = False,
    ) -> None:
        self._words = [sys.executable, "-s", "-P", "-m", "server.sandbox.zygote", entry, *preload]
        self._environment = {"LANG": "C.UTF-8", "HOME": ".", "TMPDIR": ".", "PATH": "", **(environment or {})}
        self._strict = strict
        self._lock = threading.Lock()
        self._zygote: subprocess.Popen[bytes] | None = None
        self._control: socket.socket | None = None
        # Children at work at the same time, of other servers as well, should not share a user.
        start = os.getpid() % len(_UIDS)
        self._uids = itertools.cycle([*_UIDS[start:], *_UIDS[:start]])

    def __enter__(self) -> ForkServer:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def warm(self) -> None:
        """Start importing now, rather than while the first caller waits."""
        with self._lock:
            self._running()

    def start(
        self,
        command: Header,
        folder: Path,
        seconds: float,
        limits: Limits,
        *,
        reads: Sequence[Path] = (),
        way_out: socket.socket | None = None,
        max_payload: int = 0,
    ) -> Sandbox:
        """A child that may write in `folder` and read the files `reads`, besides programs and libraries."""
        uid = next(self._uids) if os.geteuid() == 0 else None
        plan = Plan(str(folder), tuple(map(str, reads)), limits, uid, self._strict)
        leash, far_leash = socket.socketpair()
        answers, far_answers = os.pipe()
        stderr = tempfile.TemporaryFile(dir=folder)  # noqa: SIM115 - closed by the sandbox
        given = [far_leash.fileno(), far_answers, stderr.fileno(), *([way_out.fileno()] if way_out else [])]
        try:
            self._ask({"command": command, "plan": asdict(plan)}, given)
        except OSError:
            for end in (leash, stderr):
                end.close()
            os.close(answers)
            raise ChildDied(details={"exit": "not started"}) from None
        finally:
            far_leash.close()
            os.close(far_answers)
        return Sandbox(leash, answers, stderr, seconds, max_payload)

    def close(self) -> None:
        """Ends the zygote and with it every child."""
        with self._lock:
            self._drop()

    def _ask(self, request: Header, fds: list[int]) -> None:
        message = pack(request)
        with self._lock:
            for left in reversed(range(_STARTS)):
                control = self._running()
                try:
                    sent = socket.send_fds(control, [message], fds)
                    control.sendall(message[sent:])
                    return
                except OSError:
                    self._drop()
                    if not left:
                        raise

    def _running(self) -> socket.socket:
        if self._control is not None and self._zygote is not None and self._zygote.poll() is None:
            return self._control
        self._drop()
        self._control, far = socket.socketpair()
        with far:
            self._zygote = subprocess.Popen(
                self._words,
                stdin=far.fileno(),
                stdout=subprocess.DEVNULL,
                cwd="/",
                env=self._environment,
                start_new_session=True,
            )
        return self._control

    def _drop(self) -> None:
        if self._control is not None:
            self._control.close()
        if self._zygote is not None:
            with suppress(subprocess.TimeoutExpired):
                self._zygote.wait(_END_SECONDS)  # it ends its children first
            self._zygote.kill()
            self._zygote.wait()
        self._control = self._zygote = None
