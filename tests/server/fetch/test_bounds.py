"""Whatever never ends is ended: named, in time, in little memory, and without leaving a process."""

from __future__ import annotations

import time

import pytest

from server.errors import UnmaskError
from server.sandbox.forkserver import ForkServer
from tests.server.fetch.conftest import Fetch
from tests.server.fetch.endless import TABLE
from tests.server.fetch.server import Server
from tests.server.fetch.watch import Watch
from tests.server.worker.toys import until

MOST_MIB = 300.0
GRACE_SECONDS = 6.0  # beyond the fetch's own time, on a machine that is busy with other things


@pytest.mark.parametrize("name", TABLE)
def test_what_never_ends_is_ended(web: Server, fetch: Fetch, children: ForkServer, name: str) -> None:
    case = TABLE[name]
    url = case.serve(web)
    with Watch(children) as watch:
        started = time.monotonic()
        with pytest.raises(UnmaskError) as caught:
            fetch(url, **case.settings)
        took = time.monotonic() - started
        until(lambda: watch.living() == [])
    assert caught.value.code in case.ends
    assert took < case.settings["FETCH_SECONDS"] + GRACE_SECONDS
    assert watch.peak_mib < MOST_MIB
