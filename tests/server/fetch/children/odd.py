"""An entry point that does whatever it is told, for the sandbox's tests."""

from __future__ import annotations

import os
import re
import resource
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from server.errors import NoMedia
from server.fetch import guard
from server.fetch.address import networks
from server.fetch.wire import Channel


def main(channel: Channel) -> None:
    while (command := channel.receive()) is not None:
        globals()[command["do"]](channel, command)


def echo(channel: Channel, command: dict[str, Any]) -> None:
    print("libraries print what they like")
    channel.send({"type": "echo", "said": command["say"]}, bytes(command["payload"]))


def describe(channel: Channel, command: dict[str, Any]) -> None:
    names = ("RLIMIT_AS", "RLIMIT_FSIZE", "RLIMIT_CPU", "RLIMIT_NOFILE", "RLIMIT_CORE")
    limits = {name: resource.getrlimit(getattr(resource, name))[0] for name in names}
    channel.send(
        {"type": "self", "limits": limits, "environment": dict(os.environ), "path": sys.path, "cwd": str(Path.cwd())}
    )


def fail(channel: Channel, command: dict[str, Any]) -> None:
    channel.send({"type": "error", "code": NoMedia.code, "message": None, "details": {"here": 1}})


def die(channel: Channel, command: dict[str, Any]) -> None:
    sys.stderr.write("the last words\n")
    sys.stderr.flush()
    os.kill(os.getpid(), signal.SIGSEGV)


def leave(channel: Channel, command: dict[str, Any]) -> None:
    os._exit(3)


def babble(channel: Channel, command: dict[str, Any]) -> None:
    os.write(channel._channel._writer.fileno(), b"\xff" * 64)  # type: ignore[attr-defined]
    time.sleep(60)


def hang(channel: Channel, command: dict[str, Any]) -> None:
    """With a child of its own, in the same group, that hangs as well."""
    helper = subprocess.Popen([sys.executable, "-S", "-c", "import time; time.sleep(60)"])
    channel.send({"type": "hanging", "helper": helper.pid})
    if command.get("busy"):
        re.match(r"(a|aa)+$", "a" * 60 + "b")  # for years, and without ever letting another thread run
    time.sleep(60)


def grow(channel: Channel, command: dict[str, Any]) -> None:
    try:
        bytearray(2 << 30)
    except MemoryError:
        channel.send({"type": "refused"})


def attempt(channel: Channel, command: dict[str, Any]) -> None:
    """What the guard lets through, by name."""
    gate = guard.online(networks(command["allow"]))

    def tcp(host: str, port: int) -> None:
        with socket.socket() as s:
            s.settimeout(2)
            s.connect((host, port))

    def udp() -> None:
        with socket.socket(type=socket.SOCK_DGRAM) as s:
            s.sendto(b"x", ("127.0.0.1", 53))

    def unix() -> None:
        with socket.socket(socket.AF_UNIX) as s:
            s.connect("/tmp/none")

    tried = {
        "allowed": lambda: tcp("127.0.0.1", command["port"]),
        "loopback": lambda: tcp("127.0.0.2", command["port"]),
        "metadata": lambda: tcp("169.254.169.254", 80),
        "datagram": udp,
        "unix": unix,
        "program": lambda: subprocess.Popen(["true"]),
        "shell": lambda: os.system("true"),
        "fork": os.fork,
    }
    outcome = {}
    for name, act in tried.items():
        try:
            act()
            outcome[name] = "done"
        except OSError as error:
            outcome[name] = type(error).__name__
    reason = gate.refused.details["reason"] if gate.refused else None
    channel.send({"type": "tried", "outcome": outcome, "first": reason})
