"""The web process: one gunicorn worker with threads. Native code and waiting views leave the others responsive."""

from __future__ import annotations

import signal
from collections.abc import Callable
from typing import Any, Final

from gunicorn.app.base import BaseApplication
from gunicorn.arbiter import Arbiter
from gunicorn.glogging import Logger
from gunicorn.workers.base import Worker

from server.lineage import end_with_parent
from server.settings import Settings

# What still runs after a signal to end has so long; open event streams are cut.
GRACE_SECONDS: Final = 3
# The process is ended when its main loop is silent for so long; requests run in threads and may take longer.
SILENT_SECONDS: Final = 60
KEEPALIVE_SECONDS: Final = 5


class RootLogger(Logger):  # type: ignore[misc]
    """gunicorn's lines go where all others go (server/logs.py); the access log is the application's."""

    def setup(self, cfg: Any) -> None:
        for log in (self.error_log, self.access_log):
            log.handlers.clear()
        self.error_log.propagate = True
        self.access_log.propagate = False


class WebServer(BaseApplication):  # type: ignore[misc]
    """`load` makes the application in the worker, after the fork: no connection is shared between processes."""

    def __init__(self, settings: Settings, load: Callable[[], Any], bind: str) -> None:
        self._options = options(settings, bind)
        self._load = load
        super().__init__()

    def load_config(self) -> None:
        for name, value in self._options.items():
            self.cfg.set(name, value)

    def load(self) -> Any:
        return self._load()


def options(settings: Settings, bind: str) -> dict[str, Any]:
    return {
        "bind": [bind],
        "workers": 1,
        "worker_class": "gthread",
        "threads": settings.threads,
        # Connections that wait for a thread; above that they wait in the kernel.
        "worker_connections": settings.threads * 8,
        "backlog": 512,
        "keepalive": KEEPALIVE_SECONDS,
        "timeout": SILENT_SECONDS,
        "graceful_timeout": GRACE_SECONDS,
        "preload_app": False,
        "limit_request_line": 8190,
        "limit_request_fields": 64,
        "limit_request_field_size": 8190,
        "logger_class": RootLogger,
        "accesslog": None,
        "control_socket_disable": True,  # signals are enough; one way in less
        "post_fork": _post_fork,
        "proc_name": "unmask-web",
    }


def _post_fork(arbiter: Arbiter, worker: Worker) -> None:
    """The master was killed: end at once, so that the next one finds the port free."""
    # A fork keeps the master's handlers until the worker sets its own; SIGKILL needs none.
    end_with_parent(arbiter.pid, signal.SIGKILL)
