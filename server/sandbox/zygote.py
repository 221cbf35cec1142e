"""The warm process: imports once what children need, then forks one for each request, in a millisecond or two.

Started by forkserver.py as `python -s -P -m server.sandbox.zygote ENTRY PRELOAD...`, its standard input being a socket
to the parent. It has one thread, reads nothing but requests, and has no network from the start. A child lives as long
as the parent holds the other end of its leash; should the zygote itself be killed, the kernel ends them all.
"""

from __future__ import annotations

import gc
import importlib
import os
import selectors
import signal
import socket
import sys
import traceback
from contextlib import suppress

from server.sandbox import inside, wire
from server.sandbox.namespaces import leave_network

MOST_FDS = 4  # leash, answers, stderr, and the way out if there is one


class Zygote:
    def __init__(self, control: socket.socket, entry: str, preload: list[str], refused: dict[str, str]) -> None:
        self._control = control
        self._entry = entry
        self._preload = preload
        self._refused = refused  # layers that the kernel does not grant us, and so none of our children
        self._leashes: dict[int, socket.socket] = {}  # of the children that live
        self._selector = selectors.DefaultSelector()

    def run(self) -> None:
        """Until the parent closes its end, or ends."""
        deaths, notify = socket.socketpair()
        for end in (deaths, notify):
            end.setblocking(False)
        signal.signal(signal.SIGCHLD, lambda number, frame: None)
        signal.set_wakeup_fd(notify.fileno())
        self._selector.register(self._control, selectors.EVENT_READ)
        self._selector.register(deaths, selectors.EVENT_READ)
        while True:
            # What is still to be imported is imported while there is nothing else to do.
            ready = self._selector.select(0 if self._preload else None)
            if not ready and self._preload:
                _import(self._preload.pop(0))
            for key, _ in ready:
                if key.fileobj is deaths:
                    deaths.recv(4096)
                    self._bury()
                elif key.fileobj is not self._control:
                    self._let_go(key.data)
                elif not self._answer():
                    return

    def end(self) -> None:
        for child in self._leashes:
            _kill(child)

    def _answer(self) -> bool:
        try:
            request, fds = _received(self._control)
        except EOFError:
            return False
        ourselves = os.getpid()
        try:
            child = os.fork()
        except OSError:  # no process or memory left: the parent sees its leash fall
            for fd in fds:
                os.close(fd)
            return True
        if child == 0:
            inside.live(self._entry, request, fds[1:], ourselves, self._refused)
        for fd in fds[1:]:
            os.close(fd)
        leash = self._leashes[child] = socket.socket(fileno=fds[0])
        self._selector.register(leash, selectors.EVENT_READ, child)
        return True

    def _let_go(self, child: int) -> None:
        """The parent closed its end of the leash, or half of it: then it waits to hear that the child is dead."""
        if child in self._leashes:  # it may have died, and been buried, in the same moment
            self._selector.unregister(self._leashes[child])
            _kill(child)

    def _bury(self) -> None:
        for child in list(self._leashes):
            gone, status = os.waitpid(child, os.WNOHANG)
            if not gone:
                continue
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(child, signal.SIGKILL)  # what it may have started; the number is theirs while they live
            leash = self._leashes.pop(child)
            with suppress(KeyError):
                self._selector.unregister(leash)
            with suppress(OSError):
                leash.sendall(wire.pack({"exit": os.waitstatus_to_exitcode(status)}))
            leash.close()


def _received(control: socket.socket) -> tuple[wire.Header, list[int]]:
    start, fds, _, _ = socket.recv_fds(control, wire.LENGTHS.size, MOST_FDS)
    if not start:
        raise EOFError
    size, _ = wire.lengths(start, 0)
    return wire.header(control.recv(size, socket.MSG_WAITALL)), fds


def _kill(child: int) -> None:
    for kill in (os.kill, os.killpg):  # it may not have made its group yet
        with suppress(ProcessLookupError, PermissionError):
            kill(child, signal.SIGKILL)


def _import(name: str) -> None:
    """`module`, or `module:function` to call one that fills caches. A failure is for the children to tell of."""
    module, _, function = name.partition(":")
    try:
        imported = importlib.import_module(module)
        if function:
            getattr(imported, function)()
    except Exception:  # noqa: BLE001 - other people's libraries: what does not need them must go on
        traceback.print_exc()
    gc.collect()
    gc.freeze()  # so that collecting garbage in a child does not copy what it shares with us


def main() -> None:
    entry, *preload = sys.argv[1:]
    control = socket.socket(fileno=os.dup(0))
    os.dup2(os.open(os.devnull, os.O_RDWR), 0)
    refused: dict[str, str] = {}
    try:
        leave_network()
    except OSError as error:
        refused["namespaces"] = error.strerror or str(error)
    importlib.import_module(entry)
    zygote = Zygote(control, entry, preload, refused)
    try:
        zygote.run()
    finally:
        zygote.end()


if __name__ == "__main__":
    main()
