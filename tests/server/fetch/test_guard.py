from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from server.sandbox.forkserver import ForkServer
from tests.server.sandbox.conftest import CHILDREN, LIMITS


@pytest.fixture(scope="module")
def odd() -> Iterator[ForkServer]:
    with ForkServer("odd", environment={"PYTHONPATH": str(CHILDREN)}) as made:
        yield made


@pytest.mark.parametrize(
    "expression",
    [
        "socket.socketpair()[0].connect('/x')",
        "socket.getaddrinfo('example.org', 80)",
        "socket.gethostbyname('example.org')",
        "subprocess.run(['true'])",
        "os.system('true')",
        "os.posix_spawn('/bin/true', ['true'], {})",
        "os.fork()",
        "os.kill(1, 0)",
        "os.symlink('a', 'b')",
    ],
)
def test_what_python_refuses_before_the_kernel_is_asked(odd: ForkServer, tmp_path: Path, expression: str) -> None:
    command = {"do": "attempt", "guard": True, "expression": expression}
    with odd.start(command, tmp_path, 20, LIMITS) as child:
        assert child.receive()[0]["outcome"] == "Blocked"
