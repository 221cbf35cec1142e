"""How much memory the children of a fork server take, seen from outside while they work."""

from __future__ import annotations

import threading
from contextlib import suppress
from pathlib import Path
from types import TracebackType

from server.sandbox.forkserver import ForkServer


class Watch:
    """`with Watch(children) as watch: ...; watch.peak_mib` - the most any one child was resident, in MiB."""

    def __init__(self, children: ForkServer) -> None:
        children.warm()
        assert children._zygote is not None
        self._zygote = children._zygote.pid
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._look, daemon=True)
        self.peak_mib = 0.0

    def __enter__(self) -> Watch:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._over.set()
        self._thread.join()

    def living(self) -> list[int]:
        told = Path(f"/proc/{self._zygote}/task/{self._zygote}/children").read_text()
        return [int(pid) for pid in told.split()]

    def _look(self) -> None:
        while not self._over.wait(0.02):
            for pid in self.living():
                with suppress(OSError, StopIteration):
                    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
                    highest = next(int(line.split()[1]) for line in lines if line.startswith("VmHWM"))
                    self.peak_mib = max(self.peak_mib, highest / 1024)
