from __future__ import annotations

from server import supervise
from server.settings import Settings
from server.web.gunicorn import GRACE_SECONDS, WebServer


def test_gunicorn_understands_every_option() -> None:
    server = WebServer(Settings(threads=7), lambda: None, bind="fd://3")
    assert (server.cfg.threads, server.cfg.worker_class_str, server.cfg.address) == (7, "gthread", [3])
    assert server.cfg.graceful_timeout == GRACE_SECONDS
    assert server.cfg.control_socket_disable
    assert server.cfg.worker_connections > server.cfg.threads


def test_the_web_process_ends_by_itself_before_the_supervisor_forces_it() -> None:
    assert GRACE_SECONDS < supervise.END_SECONDS < 5
