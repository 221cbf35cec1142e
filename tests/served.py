"""A whole Unmask, started as a person starts it, on a free port and with a data folder of its own."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path
from types import TracebackType
from typing import Any

UNMASK = str(Path(sys.executable).parent / "unmask")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


class Served:
    """`with Served(folder, fetch_allow="127.0.0.0/8") as unmask:` - keywords are settings."""

    def __init__(self, data_dir: Path, **settings: object) -> None:
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.log = data_dir.parent / f"{data_dir.name}.log"
        chosen = {"data_dir": data_dir, "port": self.port, **settings}
        self.env = {
            **{name: value for name, value in os.environ.items() if not name.startswith("UNMASK_")},
            **{f"UNMASK_{name.upper()}": str(value) for name, value in chosen.items()},
        }
        self.process: subprocess.Popen[bytes] | None = None
        self.token = ""

    def __enter__(self) -> Served:
        try:
            self.start()
        except BaseException:
            self.stop()
            raise
        self.token = self.run("token", "create", "--role", "admin", "--scope", "lookup", "--scope", "check",
                              "--scope", "moderate", "--scope", "admin").strip()  # fmt: skip
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def start(self) -> float:
        """Seconds until it was ready."""
        started = time.monotonic()
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [UNMASK, "serve"], env=self.env, stdout=log, stderr=log, stdin=subprocess.DEVNULL
            )
        while not self._ready():
            assert self.process.poll() is None, self.log.read_text()
            assert time.monotonic() < started + 60, self.log.read_text()
            time.sleep(0.02)  # no event tells that a port answers
        return time.monotonic() - started

    def stop(self) -> float:
        """Seconds until it had ended."""
        started = time.monotonic()
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            self.process.wait(15)
        return time.monotonic() - started

    def run(self, *arguments: str) -> str:
        """One verb of the command line, with the same settings; its standard output."""
        done = subprocess.run([UNMASK, *arguments], env=self.env, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def call(self, method: str, path: str, body: Any = None, **headers: str) -> tuple[int, Any]:
        """Status and decoded JSON."""
        request = urllib.request.Request(
            self.url + path,
            method=method,
            data=None if body is None else json.dumps(body).encode(),
            headers={"Authorization": f"Bearer {self.token}", "Content-Type": "application/json", **headers},
        )
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:
                return answer.status, json.loads(answer.read() or b"null")
        except urllib.error.HTTPError as error:
            with error:
                return error.code, json.loads(error.read() or b"null")

    def finished(self, check_id: str, seconds: float = 60.0) -> dict[str, Any]:
        """The check once it is complete, failed or cancelled."""
        end = time.monotonic() + seconds
        while True:
            status, check = self.call("GET", f"/api/v1/checks/{check_id}")
            assert status == 200, check
            if check["state"] in ("complete", "failed", "cancelled"):
                return dict(check)
            assert time.monotonic() < end, (check, self.log.read_text()[-4000:])
            time.sleep(0.05)  # as a polling client does

    def _ready(self) -> bool:
        with contextlib.suppress(OSError), urllib.request.urlopen(self.url + "/readyz", timeout=2) as answer:
            return bool(answer.status == 200)
        return False
