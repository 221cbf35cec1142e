from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from server.sandbox.box import Sandbox
from server.sandbox.confine import Limits
from server.sandbox.forkserver import ForkServer

MiB = 1024 * 1024
LIMITS = Limits(memory_bytes=1024 * MiB, file_bytes=MiB, cpu_seconds=20, open_files=64)
CHILDREN = Path(__file__).with_name("children")
Start = Callable[..., Sandbox]


@pytest.fixture(scope="session")
def forks() -> Iterator[ForkServer]:
    with ForkServer("odd", environment={"PYTHONPATH": str(CHILDREN)}) as made:
        yield made


@pytest.fixture
def start(tmp_path: Path, forks: ForkServer) -> Iterator[Start]:
    """`start("echo", say="x")`: a child that does one thing. `seconds` is its time, `reads` what it may read."""
    with ExitStack() as stack:

        def run(do: str, seconds: float = 20.0, reads: tuple[Path, ...] = (), **given: Any) -> Sandbox:
            made = forks.start({"do": do, **given}, tmp_path, seconds, LIMITS, reads=reads, max_payload=4 * MiB)
            return stack.enter_context(made)

        yield run
