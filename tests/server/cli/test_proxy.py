from __future__ import annotations

import os
import signal
import socket
import subprocess

import pytest

from server.fetch.proxy import Address, Through
from tests.served import UNMASK, free_port
from tests.server.cli.conftest import Unmask


def test_it_wants_to_know_where_to_listen(unmask: Unmask) -> None:
    done = unmask("proxy")
    assert done.exit_code == 2
    assert "UNMASK_FETCH_PROXY_URL" in done.stderr


@pytest.mark.parametrize("value", ["10.0.0.1:8009", "http://10.0.0.1:8009", "https://:x@10.0.0.1:8009", "http://:x@h"])
def test_an_address_that_makes_no_sense_is_named(unmask: Unmask, monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    monkeypatch.setenv("UNMASK_FETCH_PROXY_URL", value)
    done = unmask("proxy")
    assert done.exit_code == 2
    assert "UNMASK_FETCH_PROXY_URL: must look like http://:TOKEN@HOST:PORT" in done.stderr
    assert value not in done.stderr


def test_it_serves_until_it_is_told_to_end() -> None:
    port = free_port()
    environment = {**os.environ, "UNMASK_FETCH_PROXY_URL": f"http://:secret@127.0.0.1:{port}",
                   "UNMASK_FETCH_ALLOW": "127.0.0.1/32"}  # fmt: skip
    with (
        socket.create_server(("127.0.0.1", 0)) as server,
        subprocess.Popen([UNMASK, "proxy"], env=environment, stderr=subprocess.PIPE, text=True) as process,
    ):
        assert process.stderr is not None
        assert "Vetting connections" in process.stderr.readline()
        Through(Address("127.0.0.1", port, "secret"))("127.0.0.1", server.getsockname()[1], 5).close()
        process.send_signal(signal.SIGTERM)
        assert process.wait(5) == -signal.SIGTERM
