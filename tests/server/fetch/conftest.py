from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from server.fetch.sources import Fetched, NotModified
from server.sandbox.forkserver import ForkServer
from server.settings import Settings
from server.worker.media import MediaChild
from tests.server.fetch import media
from tests.server.fetch.server import Server

Fetch = Callable[..., Fetched | NotModified]
LOOPBACK = "127.0.0.1/32"  # not 127.0.0.2, to which some tests are lured


@pytest.fixture
def web() -> Iterator[Server]:
    with Server() as server:
        yield server


@pytest.fixture
def fetch(tmp_path: Path, children: ForkServer) -> Iterator[Fetch]:
    """Fetch as the worker does, in a child. Keywords in upper case are settings; the file lives as long as the test."""
    with ExitStack() as stack:

        def run(url: str, **given: Any) -> Fetched | NotModified:
            changed = {name.lower(): given.pop(name) for name in list(given) if name.isupper()}
            settings = Settings(data_dir=tmp_path / "data", **{"fetch_allow": LOOPBACK, "fetch_seconds": 20, **changed})
            return stack.enter_context(MediaChild(settings, children)).fetch(url, **given)

        yield run


@pytest.fixture(scope="session")
def jpeg() -> bytes:
    return media.jpeg()


@pytest.fixture(scope="session")
def clip(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    return media.clip(tmp_path_factory.mktemp("clip"))
