"""A private PostgreSQL on a free port, gone when the tests are over."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from uuid import uuid4

from tests import need

_BINARIES = ("usr/lib/postgresql/*/bin",)


class PostgresServer:
    """`initdb` refuses to run as root, so as root the server belongs to the package's own user."""

    def __init__(self) -> None:
        self._initdb = need.program("initdb", folders=_BINARIES)
        self._pg_ctl = need.program("pg_ctl", folders=_BINARIES)
        self._user = "postgres" if os.getuid() == 0 else None
        self._folder = Path(tempfile.mkdtemp(prefix="unmask-pg-"))
        self.port = _free_port()

    def __enter__(self) -> PostgresServer:
        self._folder.chmod(0o755)
        data = self._folder / "data"
        data.mkdir(0o700)
        if self._user:
            shutil.chown(data, self._user)
        self._run(self._initdb, "-D", str(data), "-U", "unmask", "-A", "trust", "--no-sync", "-E", "UTF8")
        options = f"-p {self.port} -c listen_addresses=127.0.0.1 -c fsync=off -c unix_socket_directories={data}"
        self._run(self._pg_ctl, "-D", str(data), "-w", "-l", str(data / "log"), "-o", options, "start")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._run(self._pg_ctl, "-D", str(self._folder / "data"), "-m", "immediate", "stop")
        shutil.rmtree(self._folder, ignore_errors=True)

    @contextmanager
    def fresh_database(self, template: str = "template1") -> Iterator[str]:
        """The address of a copy of the template (which is empty), dropped afterwards. Nobody may be connected to it."""
        import psycopg

        name = f"test_{uuid4().hex[:12]}"
        admin = f"postgresql://unmask@127.0.0.1:{self.port}/postgres"
        with psycopg.connect(admin, autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name} TEMPLATE {template}".encode())
        yield f"postgresql+psycopg://unmask@127.0.0.1:{self.port}/{name}"
        with psycopg.connect(admin, autocommit=True) as connection:
            connection.execute(f"DROP DATABASE {name} WITH (FORCE)".encode())

    def _run(self, *command: str) -> None:
        done = subprocess.run(
            command, user=self._user, cwd="/", stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False,
            stdin=subprocess.DEVNULL,
        )  # fmt: skip
        assert done.returncode == 0, done.stdout


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
