"""An entry point that does whatever it is told, for the sandbox's tests."""

from __future__ import annotations

import ctypes
import os
import re
import resource
import signal
import socket  # noqa: F401 - for what the tests have tried
import ssl  # noqa: F401
import subprocess  # noqa: F401
import sys
import threading
import time
from pathlib import Path
from typing import Any

from server.errors import NoMedia
from server.fetch import guard
from server.sandbox.wire import Channel


def main(command: dict[str, Any], channel: Channel) -> None:
    globals()[command["do"]](channel, command)


def echo(channel: Channel, command: dict[str, Any]) -> None:
    print("libraries print what they like")
    for size in command["payloads"]:
        channel.send({"type": "echo", "said": command["say"]}, bytes(size))


def describe(channel: Channel, command: dict[str, Any]) -> None:
    names = ("RLIMIT_AS", "RLIMIT_FSIZE", "RLIMIT_CPU", "RLIMIT_NOFILE", "RLIMIT_CORE")
    limits = {name: resource.getrlimit(getattr(resource, name))[0] for name in names}
    channel.send(
        {
            "type": "self", "limits": limits, "environment": dict(os.environ), "path": sys.path,
            "cwd": str(Path.cwd()), "uid": os.getuid(), "refused": command["refused"],
            "open": [fd for fd in range(64) if is_open(fd)],
        }
    )  # fmt: skip


def is_open(fd: int) -> bool:
    try:
        os.fstat(fd)
    except OSError:
        return False
    return True


def fail(channel: Channel, command: dict[str, Any]) -> None:
    channel.send({"type": "error", "code": NoMedia.code, "message": None, "details": {"here": 1}})


def die(channel: Channel, command: dict[str, Any]) -> None:
    sys.stderr.write("the last words\n")
    sys.stderr.flush()
    os.kill(os.getpid(), signal.SIGSEGV)


def leave(channel: Channel, command: dict[str, Any]) -> None:
    os._exit(3)


def babble(channel: Channel, command: dict[str, Any]) -> None:
    channel._writer.write(b"\xff" * 64)
    channel._writer.flush()
    time.sleep(60)


def hang(channel: Channel, command: dict[str, Any]) -> None:
    """Where the kernel lets it, with a child of its own in the same group that hangs as well."""
    try:
        if os.fork() == 0:
            time.sleep(60)
    except PermissionError:
        pass
    channel.send({"type": "hanging", "pid": os.getpid()})
    if command.get("busy"):
        re.match(r"(a|aa)+$", "a" * 60 + "b")  # for years, and without ever letting another thread run
    time.sleep(60)


def grow(channel: Channel, command: dict[str, Any]) -> None:
    try:
        bytearray(2 << 30)
    except MemoryError:
        channel.send({"type": "refused"})


def write(channel: Channel, command: dict[str, Any]) -> None:
    with Path("big").open("wb") as file:
        try:
            for _ in range(64):
                file.write(bytes(1 << 20))
                file.flush()
        except OSError as error:
            channel.send({"type": "refused", "errno": error.errno, "size": Path("big").stat().st_size})


def ctypes_call(name: str, *arguments: Any) -> int:
    libc = ctypes.CDLL(None, use_errno=True)
    return checked(getattr(libc, name)(*arguments))


def ctypes_syscall(number: int, *arguments: int) -> int:
    return checked(ctypes.CDLL(None, use_errno=True).syscall(number, *arguments))


def checked(result: int) -> int:
    if result < 0:
        raise OSError(ctypes.get_errno(), "refused")
    return result


def threaded() -> str:
    said: list[str] = []
    thread = threading.Thread(target=lambda: said.append("done"))
    thread.start()
    thread.join()
    return said[0]


def attempt(channel: Channel, command: dict[str, Any]) -> None:
    """Run one expression of the test's, and tell what came of it."""
    if command.get("guard"):
        guard.arm()
    try:
        outcome = repr(eval(command["expression"], globals()))
    except (OSError, MemoryError, ValueError) as error:
        outcome = type(error).__name__
    channel.send({"type": "tried", "outcome": outcome})
