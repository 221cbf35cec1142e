"""Says on standard output where Unmask runs, once it does."""

from __future__ import annotations

import http.client
import threading
import time
from typing import Final

import click
import structlog

from server.settings import Settings

log = structlog.get_logger()

SLOW_START_SECONDS: Final = 30.0
EVERYWHERE: Final = {"0.0.0.0": "127.0.0.1", "::": "::1", "": "127.0.0.1"}  # noqa: S104 - read, not bound


class Announcement:
    def __init__(self, settings: Settings, text: str) -> None:
        self._settings = settings
        self._text = text
        self._lock = threading.Lock()

    def start(self) -> None:
        threading.Thread(target=self._wait, name="unmask-announce", daemon=True).start()

    def say(self) -> None:
        with self._lock:
            text, self._text = self._text, ""
        if text:
            click.echo(text)

    def _wait(self) -> None:
        started = time.monotonic()
        warned = False
        while not is_ready(self._settings):
            if not warned and time.monotonic() - started > SLOW_START_SECONDS:
                warned = True
                log.warning("not_ready", seconds=SLOW_START_SECONDS, why="GET /readyz does not answer 200")
            time.sleep(0.05)
        log.info("ready", seconds=round(time.monotonic() - started, 2))
        self.say()


def is_ready(settings: Settings) -> bool:
    host = EVERYWHERE.get(settings.host, settings.host)
    connection = http.client.HTTPConnection(host, settings.port, timeout=2)
    try:
        connection.request("GET", "/readyz", headers={"Host": settings.hosts.split(",")[0].strip()})
        return connection.getresponse().status == http.client.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
