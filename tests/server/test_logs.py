from __future__ import annotations

import json
import logging
import subprocess
import sys
from collections.abc import Iterator

import pytest
import structlog

from server.logs import configure
from server.settings import Settings


@pytest.fixture(autouse=True)
def as_before() -> Iterator[None]:
    root, hook = logging.getLogger(), sys.excepthook
    handlers, level = root.handlers, root.level
    yield
    root.handlers, sys.excepthook = handlers, hook
    root.setLevel(level)
    structlog.reset_defaults()


def lines(capsys: pytest.CaptureFixture[str]) -> list[dict[str, object]]:
    return [json.loads(line) for line in capsys.readouterr().err.splitlines()]


def test_both_kinds_of_loggers_make_the_same_lines(capsys: pytest.CaptureFixture[str]) -> None:
    configure(Settings(log_format="json"), "worker")
    with structlog.contextvars.bound_contextvars(check_id="c1"):
        structlog.get_logger("ours").info("check_ended", state="complete")
        logging.getLogger("gunicorn.error").warning("of %s", "theirs")
    ours, theirs = lines(capsys)
    assert ours | {"timestamp": ""} == {
        "event": "check_ended", "state": "complete", "check_id": "c1", "level": "info", "logger": "ours",
        "process": "worker", "timestamp": "",
    }  # fmt: skip
    assert (theirs["event"], theirs["check_id"], theirs["process"]) == ("of theirs", "c1", "worker")


def test_secrets_stay_out(capsys: pytest.CaptureFixture[str]) -> None:
    configure(Settings(log_format="json"), "web")
    structlog.get_logger().info("signed_in", password="hunter2", Authorization="Bearer x", name="ann")
    assert "hunter2" not in (text := capsys.readouterr().err)
    assert "Bearer" not in text
    assert "ann" in text


@pytest.mark.parametrize(("level", "said"), [("info", False), ("debug", True)])
def test_chatter_is_for_debugging(capsys: pytest.CaptureFixture[str], level: str, said: bool) -> None:
    configure(Settings(log_format="json", log_level=level), "worker")
    logging.getLogger("celery.app.trace").info("Task unmask.work succeeded")
    assert bool(lines(capsys)) is said


def test_a_crash_is_one_line_with_its_traceback() -> None:
    program = (
        "from server.logs import configure; from server.settings import Settings; configure(Settings(), 'x'); 1 / 0"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    (line,) = done.stderr.splitlines()
    assert json.loads(line)["event"] == "crashed"
    assert "ZeroDivisionError" in json.loads(line)["exception"]
    assert done.returncode == 1
